import { readFile } from 'node:fs/promises'
import type { Checkpoint } from '@strongroom/core'
import { accessors, header } from '../arguments/shared-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { WrongUse } from '../faults.ts'
import { asRecord } from '../http/read-fault.ts'
import { printable } from '../output/printable.ts'
import type { Document } from '../target/target.ts'
import type { Command } from './command.ts'
import { withTarget } from './with-target.ts'

export const auditVerify: Command = {
  name: 'audit verify',
  usage: '[TARGET]',
  summary: 'Goes through the audit log, and names the first entry that is bad',
  about: `Every entry is hashed again, and held against the chain. A database file, such as a backup, is opened for reading only. What was cut off at the
end, or rewritten with everything behind it, shows only against a checkpoint that was kept elsewhere: a file of one, or of one on each line, as a
server writes it. Of the lines a server is sent the newest 16. Exit code 3 says that there is a fault.`,
  options: [
    { name: 'checkpoint', value: 'FILE', help: 'Checkpoints that were kept elsewhere' },
    { name: 'public-key', value: 'KEY', help: 'The only key whose checkpoints are believed, as public_key of a checkpoint spells it' },
    accessors,
    header,
  ],
  examples: [
    {
      line: 'strongroom audit verify backup.sqlite --checkpoint /mnt/audit/checkpoints.jsonl',
      why: 'a backup, against what was kept elsewhere',
    },
    { line: 'strongroom audit verify http://127.0.0.1:3000 --json | jq .fault', why: 'a server, for a script' },
  ],
  positionals: 1,
  async run(job) {
    const { given } = job
    const file = given.text('checkpoint')
    const publicKey = given.text('public-key')
    if (publicKey !== undefined && file === undefined)
      throw new WrongUse('--public-key says whose checkpoints are believed: say --checkpoint, too.')
    const checkpoints = file === undefined ? [] : await checkpointsIn(file)
    const verdict = await withTarget(job, given.positionals[0], (target, watch) =>
      target.verifyAudit({ checkpoints, ...(publicKey !== undefined && { publicKey }) }, watch),
    )
    const isWhole = verdict['ok'] === true
    await job.answer(verdict, inWords(verdict), { wrong: !isWhole })
    return isWhole ? exitCodes.done : exitCodes.refused
  },
}

async function checkpointsIn(file: string): Promise<Checkpoint[]> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new WrongUse(`There is no file ${file} that could be read.`)
  })
  const { InvalidQueryError, readCheckpoints } = await import('@strongroom/core')
  try {
    return readCheckpoints(text)
  } catch (error) {
    if (error instanceof InvalidQueryError) throw new WrongUse(`${file} is no file of checkpoints. ${error.message}`)
    throw error
  }
}

const meanings: Readonly<Record<string, string>> = {
  holds: 'the log up to there is what was signed',
  differs: 'the log up to there is another one',
  cut_off: 'the log ends before it',
  replaced: 'a restore has replaced entries that it covers; the log has an entry of that',
  not_retained: 'its entries were removed by retention',
  other_log: 'it is of another log',
  not_reached: 'the fault comes before it',
}

function inWords(verdict: Document): string {
  const fault = asRecord(verdict['fault'])
  const checkpoints = Array.isArray(verdict['checkpoints']) ? verdict['checkpoints'].map(asRecord) : []
  const lines = [
    verdict['ok'] === true
      ? `The log is whole up to position ${verdict['position']}: ${counted(verdict['entries'])} of epoch ${verdict['epoch']} and before.`
      : `The log has a fault${fault['position'] === null ? '' : ` at position ${fault['position']}`}${fault['id'] === null ? '' : `, entry ${fault['id']}`} (${fault['kind']}): ${fault['detail']}`,
    ...(Number(verdict['erased']) > 0 ? [`${counted(verdict['erased'])} were erased, as others tell.`] : []),
    ...(verdict['retained_below'] === null ? [] : [`Entries below position ${verdict['retained_below']} were removed.`]),
    ...(Number(verdict['unsealed']) > 0 ? [`${counted(verdict['unsealed'])} wait for their seal: nothing protects them yet.`] : []),
    ...checkpoints.map(
      ({ size, timestamp, finding }) => `Checkpoint of ${timestamp}, size ${size}: ${meanings[String(finding)] ?? finding}.`,
    ),
    ...(checkpoints.length === 0 ? ['It was held against no checkpoint: what was cut off, or rewritten as a whole, does not show.'] : []),
  ]
  return `${printable(lines.join('\n'), { lines: true })}\n`
}

function counted(value: unknown): string {
  return `${Number(value).toLocaleString('en-US')} ${value === 1 ? 'entry' : 'entries'}`
}
