/** What a curl command line asks for, in terms of `fetch`. */
export interface CurlRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** A form's only field, with a file beside the program. */
  readonly form?: { readonly field: string; readonly file: string }
  /** The file beside the program that the answer goes to. */
  readonly output?: string
}

const flags = new Set(['-s', '-S', '-sS', '-g', '-f', '--fail-with-body'])
const formType = 'application/x-www-form-urlencoded'

/**
 * Reads the curl commands of a shell block, so that tests can run them where there is no curl. It knows the few options that the docs use.
 *
 * @throws Error for a line that is no curl command, for an unknown option, and for a URL that curl itself would misread
 */
export function curlRequests(shell: string): CurlRequest[] {
  const lines = shell.replaceAll('\\\n', ' ').split('\n')
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => curlRequest(shellWords(line)))
}

function curlRequest([program, ...words]: readonly string[]): CurlRequest {
  if (program !== 'curl') throw new Error(`Only curl commands can be read here, not ${program}.`)
  const headers: Record<string, string> = {}
  let [url, method, body, output]: (string | undefined)[] = []
  let form: CurlRequest['form']
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (flags.has(word)) continue
    if (!word.startsWith('-')) {
      if (/[[\]{}]/.test(word) && !words.includes('-g'))
        throw new Error(`curl reads the brackets in ${word} as a pattern unless -g is said.`)
      url = word
      continue
    }
    const value = words[++at] ?? ''
    if (word === '-X') method = value
    else if (word === '-H') addHeader(headers, value)
    else if (word === '-d') [body, headers['content-type']] = [value, headers['content-type'] ?? formType]
    else if (word === '--json') [body, headers['content-type'], headers['accept']] = [value, 'application/json', 'application/json']
    else if (word === '-o') output = value
    else if (word === '-F') form = formField(value)
    else throw new Error(`The option ${word} of curl is not known here.`)
  }
  if (url === undefined) throw new Error('A curl command without a URL.')
  const sends = body !== undefined || form !== undefined
  return { url, method: method ?? (sends ? 'POST' : 'GET'), headers, body, ...(form && { form }), ...(output !== undefined && { output }) }
}

function formField(text: string): NonNullable<CurlRequest['form']> {
  const [, field, file] = /^(\w+)=@([\w.-]+)$/.exec(text) ?? []
  if (field === undefined || file === undefined) throw new Error(`Only files are sent in forms here, not ${text}.`)
  return { field, file }
}

function addHeader(headers: Record<string, string>, line: string): void {
  const [name = '', ...rest] = line.split(':')
  headers[name.trim().toLowerCase()] = rest.join(':').trim()
}

/** The words of a line, by the shell's quotes; no variables, no pipes. */
function shellWords(line: string): string[] {
  const word = /(?:'[^']*'|"(?:[^"$`\\]|\\["\\])*"|[^\s'"|&;<>$`\\])+|\S/g
  return (line.match(word) ?? []).map((found) => {
    if (/^[|&;<>$`\\]$/.test(found)) throw new Error(`${found} is more of the shell than is known here: ${line}`)
    return found.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"/g, (_whole, single?: string, double?: string) =>
      single === undefined ? (double ?? '').replaceAll(/\\(["\\])/g, '$1') : single,
    )
  })
}
