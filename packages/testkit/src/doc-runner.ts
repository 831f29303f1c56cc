import { spawn } from 'node:child_process'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CurlRequest, curlRequests } from './curl-line.ts'
import { brokenPromises, type DocCall, type DocProgram, isAnswer } from './doc-blocks.ts'
import { freePort } from './free-port.ts'
import { type RunningScript, runScript } from './run-script.ts'
import { tempFolder } from './temp-folder.ts'

/** Where the programs of the docs run, and what their calls are made with. */
export interface DocSurroundings {
  /** A node_modules folder with everything that the programs import. */
  readonly modules: URL
  /** `fetch` needs no other program and leaves Python out; `tools` uses bash, curl and python3. */
  readonly calls: 'fetch' | 'tools'
  /** Makes the database of a program that says `postgres`. */
  readonly postgresUrl: () => Promise<string>
}

/** The port that the docs show; each run has another. */
const shownPort = '3000'
/** Milliseconds between two looks at a server that starts, and until it must answer. */
const startPoll = 50
const startLimit = 20_000

/**
 * Runs a program of the docs in a folder of its own, with the calls that follow it on its page.
 * @returns a sentence for each thing that did not come out as the page says
 */
export async function runDocProgram(program: DocProgram, surroundings: DocSurroundings): Promise<string[]> {
  const folder = await tempFolder('docs')
  try {
    const port = String(await freePort())
    await symlink(fileURLToPath(surroundings.modules), join(folder.path, 'node_modules'))
    await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }')
    const file = join(folder.path, 'page.ts')
    const code = program.code.replaceAll(shownPort, port)
    await writeFile(file, code)
    const DATABASE_URL = program.postgres ? await surroundings.postgresUrl() : undefined
    const script = runScript(file, { cwd: folder.path, env: { DATABASE_URL, NODE_ENV: undefined, PORT: port } })
    const faults = program.server ? await serve(program, script, port, { ...surroundings, folder: folder.path }) : []
    const end = await script.ended
    // a server without a handler of its own is ended by the signal that it was sent
    const ended = end.code === 0 || (program.server && end.signal === 'SIGTERM')
    if (!ended) faults.push(`The program ended with ${end.signal ?? end.code}:\n${script.output()}`)
    const broken = brokenPromises(code, script.output())
    if (broken.length > 0) faults.push(`Not printed: ${broken.join(' | ')}; printed was\n${script.output()}`)
    return faults
  } finally {
    await folder.remove()
  }
}

/** Where calls are made: files that they name are in the program's folder. */
type CallPlace = Pick<DocSurroundings, 'calls'> & { readonly folder: string }

async function serve(program: DocProgram, script: RunningScript, port: string, place: CallPlace): Promise<string[]> {
  const faults: string[] = []
  try {
    await answering(port, script)
    for (const call of program.calls) {
      const said = await makeCall({ ...call, code: call.code.replaceAll(shownPort, port) }, place)
      if (said !== undefined) faults.push(`Line ${call.line}: ${said}`)
    }
    await printed(program.code.replaceAll(shownPort, port), script)
  } catch (error) {
    faults.push(`Not served: ${String(error)}\n${script.output()}`)
  } finally {
    script.process.kill('SIGTERM')
  }
  return faults
}

/** A server's program may be at work on what it promises to print while the calls are made. */
async function printed(code: string, script: RunningScript): Promise<void> {
  for (const start = Date.now(); Date.now() - start < startLimit; ) {
    if (brokenPromises(code, script.output()).length === 0) return
    await new Promise((resolve) => setTimeout(resolve, startPoll))
  }
}

async function answering(port: string, script: RunningScript): Promise<void> {
  let ended = false
  void script.ended.then(() => {
    ended = true
  })
  for (const start = Date.now(); Date.now() - start < startLimit && !ended; ) {
    const answered = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, startPoll))
  }
  throw new Error('the server does not answer')
}

/** What is wrong with the call's outcome, if anything. */
async function makeCall(call: DocCall, { calls: means, folder }: CallPlace): Promise<string | undefined> {
  if (means === 'fetch' && call.language === 'python') return undefined
  const { failed, output } = means === 'fetch' ? await fetchAll(call.code, folder) : await runTool(call, folder)
  if (failed) return `failed with\n${output}`
  if (call.answer === undefined || isAnswer(JSON.parse(call.answer), JSON.parse(output))) return undefined
  return `answered\n${output}`
}

interface Outcome {
  readonly failed: boolean
  readonly output: string
}

async function fetchAll(code: string, folder: string): Promise<Outcome> {
  const output: string[] = []
  for (const { url, method, headers, body, form, output: target } of curlRequests(code)) {
    const sent = form ? await filledForm(form, folder) : body
    const response = await fetch(url, { method, headers, ...(sent !== undefined && { body: sent }) })
    const bytes = Buffer.from(await response.arrayBuffer())
    if (target !== undefined && response.ok) await writeFile(join(folder, target), bytes)
    output.push(target === undefined || !response.ok ? bytes.toString() : '')
    if (!response.ok) return { failed: true, output: `${method} ${url}: ${response.status} ${output.at(-1)}` }
  }
  return { failed: false, output: output.join('\n') }
}

async function filledForm({ field, file }: NonNullable<CurlRequest['form']>, folder: string): Promise<FormData> {
  const form = new FormData()
  form.set(field, new Blob([await readFile(join(folder, file))]), file)
  return form
}

function runTool({ language, code }: DocCall, cwd: string): Promise<Outcome> {
  // bash's function makes curl's exit status tell whether the answer was an error
  const shell = `set -e\ncurl() { command curl -sS --fail-with-body "$@"; echo; }\n${code}`
  const child = language === 'python' ? spawn('/usr/bin/python3', ['-c', code], { cwd }) : spawn('bash', ['-c', shell], { cwd })
  let output = ''
  const take = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ failed: status !== 0, output }))
  })
}
