import { describe, expect, test } from 'vitest'
import { curlRequests } from '../src/curl-line.ts'

describe('a curl command of the docs', () => {
  test('is read as a request', () => {
    const shell = `# a comment
curl -s 'http://127.0.0.1:3000/users?role=admin'
curl -X PUT http://127.0.0.1:3000/users/1 -H 'X-User: alice' \\
  --json '{"name": "Alice B."}'
`
    expect(curlRequests(shell)).toEqual([
      { url: 'http://127.0.0.1:3000/users?role=admin', method: 'GET', headers: {}, body: undefined },
      {
        url: 'http://127.0.0.1:3000/users/1',
        method: 'PUT',
        headers: { 'x-user': 'alice', 'content-type': 'application/json', accept: 'application/json' },
        body: '{"name": "Alice B."}',
      },
    ])
  })

  test('sends a form where it does not say what it sends, as curl does', () => {
    expect(curlRequests('curl -d a=b http://127.0.0.1/')[0]?.headers).toEqual({ 'content-type': 'application/x-www-form-urlencoded' })
  })

  test('sends a file in a form, and puts an answer into a file', () => {
    expect(curlRequests('curl -o b.sqlite http://127.0.0.1/b\ncurl -F file=@b.sqlite http://127.0.0.1/r')).toEqual([
      { url: 'http://127.0.0.1/b', method: 'GET', headers: {}, body: undefined, output: 'b.sqlite' },
      { url: 'http://127.0.0.1/r', method: 'POST', headers: {}, body: undefined, form: { field: 'file', file: 'b.sqlite' } },
    ])
    expect(() => curlRequests('curl -F note=text http://127.0.0.1/')).toThrow('Only files')
  })

  test('may have quotes within double quotes', () => {
    expect(curlRequests('curl http://127.0.0.1/ --json "{\\"name\\": \\"O\'Hara\\"}"')[0]?.body).toBe('{"name": "O\'Hara"}')
  })

  test('is refused where curl or the shell would read it otherwise', () => {
    expect(() => curlRequests("curl 'http://127.0.0.1/users?age[gte]=18'")).toThrow('unless -g is said')
    expect(() => curlRequests('curl http://127.0.0.1/?a=1&b=2')).toThrow('& is more of the shell')
    expect(() => curlRequests('curl --compressed http://127.0.0.1/')).toThrow('--compressed')
    expect(() => curlRequests('rm -rf data')).toThrow('not rm')
  })
})
