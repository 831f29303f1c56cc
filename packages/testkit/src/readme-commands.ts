import { curlRequests } from './curl-line.ts'
import { docBlocks, isAnswer } from './doc-blocks.ts'

/** `TOKEN=$(curl … | jq -r .data.id)`: keeps a member of an answer for later lines. */
const assignment = /^(?<name>\w+)=\$\((?<command>curl .*) \| jq -r (?<path>(?:\.\w+)+)\)$/

/**
 * Runs the curl lines of a README against a server, in order, as one shell would: a line `NAME=$(curl … | jq -r .member)` keeps a member of
 * the answer, and `$NAME` stands for it in later lines. A ```json block after a ```sh block is the answer that its last line must get, in
 * which "…" stands for any value; without one the server has to answer 2xx.
 *
 * @param shownOrigin where the README says that the server is
 * @param origin where it is
 * @returns a sentence for each thing that did not come out as the page says, and how many lines were run
 */
export async function runReadmeCommands(markdown: string, shownOrigin: string, origin: string): Promise<{ faults: string[]; ran: number }> {
  const variables = new Map<string, string>()
  const faults: string[] = []
  let ran = 0
  const blocks = docBlocks(markdown)
  for (const [index, block] of blocks.entries()) {
    if (block.language !== 'sh') continue
    const next = blocks[index + 1]
    const shown = next?.language === 'json' ? next.code : undefined
    const lines = commandLines(block.code)
    for (const [at, line] of lines.entries()) {
      const { name, command = line, path = '' } = assignment.exec(line)?.groups ?? {}
      if (!command.startsWith('curl ')) continue
      ran++
      const { ok, text } = await ask(withVariables(command, variables).replaceAll(shownOrigin, origin))
      if (name !== undefined) variables.set(name, String(memberOf(text, path)))
      const expected = at === lines.length - 1 ? shown : undefined
      const right = expected === undefined ? ok : isAnswer(JSON.parse(expected), JSON.parse(text))
      if (!right) faults.push(`Line ${block.line}: ${line}\nanswered\n${text}`)
    }
  }
  return { faults, ran }
}

const commandLines = (code: string): string[] =>
  code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))

/** The shell leaves what stands in single quotes alone. */
const withVariables = (line: string, variables: ReadonlyMap<string, string>): string =>
  line.replaceAll(/'[^']*'|\$(\w+)/g, (found, name?: string) => (name === undefined ? found : (variables.get(name) ?? '')))

async function ask(line: string): Promise<{ ok: boolean; text: string }> {
  const [request] = curlRequests(line)
  if (!request) throw new Error(`Not a curl command: ${line}`)
  const { url, method, headers, body } = request
  const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
  return { ok: response.ok, text: await response.text() }
}

function memberOf(text: string, path: string): unknown {
  let value: unknown = JSON.parse(text)
  for (const name of path.split('.').slice(1)) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return value
}
