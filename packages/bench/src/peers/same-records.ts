import { withoutNow } from '../beside-hand/same-answers.ts'
import type { Side } from '../beside-hand/side.ts'
import { type Asked, type Wire, wires } from '../beside-hand/wires.ts'

/** Ends the comparison with a peer that answers other records, as far as its wire lets them be compared: whatever they are wrapped in, in any order of fields. */
export async function requireSameRecords(ours: Side, peer: Side): Promise<void> {
  const person = { name: 'Zoë "Z" O’Hara', email: 'zoe@example.com', age: 41 }
  const questions: readonly (readonly [string, (wire: Wire) => Asked])[] = [
    ['get', (wire) => wire.get(17)],
    ['list', (wire) => wire.list(100, 200)],
    ['post', (wire) => wire.post(person)],
    ['put', (wire) => wire.put(17, { age: 149 })],
    ['get', (wire) => wire.get(17)],
    ['delete', (wire) => wire.delete(5_001)],
    ['get of a deleted one', (wire) => wire.get(5_001)],
  ]
  for (const [what, asked] of questions) {
    const [we, they] = [await answer(ours, asked), await answer(peer, asked)]
    if (we.good !== they.good) throw new Error(`${what}: Strongroom answers ${we.status}, ${peer.name} ${they.status} ${they.text}`)
    // What a delete answers is each one's own, and some answer a change with nothing.
    if (what === 'delete' || !we.good || they.text === '') continue
    if (we.text !== they.text)
      throw new Error(`${what} is answered differently.\nStrongroom: ${we.text.slice(0, 300)}\n${peer.name}: ${they.text.slice(0, 300)}`)
  }
}

async function answer({ url, wire: name }: Side, asked: (wire: Wire) => Asked) {
  const wire: Wire = wires[name]
  const { method, path, body } = asked(wire)
  const headers = { 'x-user': 'bench', ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await response.text()
  if (!response.ok) return { good: false, status: response.status, text }
  const content = text === '' ? undefined : wire.content(JSON.parse(text))
  // Some say of a record that is not there that it is null.
  return { good: content !== null, status: response.status, text: content === undefined ? '' : withoutNow(sorted(content)) }
}

/** JSON whose fields stand in the order of their names. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
