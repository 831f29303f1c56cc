import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** `.ts` from the sources, `.js` from what is published. */
const program = new URL(`./layout-worker${extname(import.meta.url)}`, import.meta.url)

/**
 * Draws a graph as an SVG, in a thread of its own: sixty tables take Graphviz half a second, in which nothing else would run.
 * The thread, and the memory of the WebAssembly in it, end with the answer.
 */
export function layOut(dot: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // What the program was started with need not suit a thread: a loader, an inspector.
    const worker = new Worker(program, { workerData: dot, execArgv: [], name: 'strongroom diagram' })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`The thread that draws ended with ${code} and no picture.`)))
  })
}
