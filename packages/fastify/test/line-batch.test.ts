import { EventEmitter } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { counted } from '../src/logs/byte-stream.ts'
import { batching, LineBatch } from '../src/logs/line-batch.ts'

/** A stream that keeps what it is given until it is told to write, and says then how much it has written. */
class Slow extends EventEmitter {
  readonly places: string[] = []
  told = 0
  #kept: Uint8Array[] = []

  write(bytes: Uint8Array): void {
    this.#kept.push(bytes)
  }

  flush(): void {
    this.told += 1
  }

  arrive(): void {
    const bytes = Buffer.concat(this.#kept.splice(0))
    this.places.push(bytes.toString())
    this.emit('write', bytes.length)
  }
}

function batchTo(stream: Slow): { readonly batch: LineBatch; readonly later: () => void } {
  vi.useFakeTimers()
  return { batch: new LineBatch([counted(stream)]), later: () => void vi.advanceTimersByTime(batching.milliseconds) }
}

afterEach(() => void vi.useRealTimers())

test('lines are written together when their time is over, and a process that has none is not woken', () => {
  const stream = new Slow()
  const { batch, later } = batchTo(stream)
  expect(vi.getTimerCount()).toBe(0)
  batch.write('a\n')
  batch.write('é\n')
  expect(stream.told).toBe(0)
  later()
  expect(stream.told).toBe(1)
  stream.arrive()
  expect(stream.places).toEqual(['a\né\n'])
  later()
  expect({ told: stream.told, timers: vi.getTimerCount() }).toEqual({ told: 1, timers: 0 })
  batch.write('b\n')
  later()
  expect(stream.told).toBe(2)
})

test('a stream that could not write is told again until it has', () => {
  const stream = new Slow()
  const { batch, later } = batchTo(stream)
  batch.write('a\n')
  for (const _ of [1, 2, 3]) later()
  expect(stream.told).toBe(3)
  stream.arrive()
  for (const _ of [1, 2, 3]) later()
  expect({ told: stream.told, timers: vi.getTimerCount() }).toEqual({ told: 3, timers: 0 })
})

test('after its end lines are handed over at once', () => {
  const stream = new Slow()
  const { batch } = batchTo(stream)
  batch.write('a\n')
  batch.close()
  batch.write('b\n')
  stream.arrive()
  expect({ places: stream.places, timers: vi.getTimerCount() }).toEqual({ places: ['a\nb\n'], timers: 0 })
})
