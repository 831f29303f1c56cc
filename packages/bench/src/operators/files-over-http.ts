import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { request } from 'node:http'
import { pipeline } from 'node:stream/promises'

export async function download(url: string, target: string): Promise<{ bytes: number }> {
  const [response] = await once(request(url).end(), 'response')
  if (response.statusCode !== 200) throw new Error(`${url} was answered ${response.statusCode}`)
  await pipeline(response, createWriteStream(target))
  return { bytes: statSync(target).size }
}

/** Restores a file over HTTP, to its end. */
export async function restoreFile(url: string, file: string): Promise<{ restored: boolean }> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': statSync(file).size, 'x-user': 'bench' }
  const sent = request(`${url}/db/restore`, { method: 'POST', headers })
  const answered = once(sent, 'response')
  await pipeline(createReadStream(file), sent)
  const [response] = await answered
  const text = Buffer.concat(await response.toArray()).toString()
  if (response.statusCode !== 200) throw new Error(`the restore was answered ${response.statusCode}: ${text}`)
  return { restored: JSON.parse(text).restored }
}
