/** The URL of a module beside this one, for a thread to run: sources end in .ts, what is built from them in .js. */
export function moduleUrl(path: string, from: string): URL {
  return new URL(`${path}${/\.\w+$/.exec(from)?.[0] ?? '.js'}`, from)
}
