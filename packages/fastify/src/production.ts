/** Every NODE_ENV but `development` and `test`, and none at all: what nobody thought of is strict. */
export function isProduction(): boolean {
  const environment = process.env['NODE_ENV']
  return environment !== 'development' && environment !== 'test'
}
