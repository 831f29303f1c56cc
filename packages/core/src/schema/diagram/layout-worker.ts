import { parentPort, workerData } from 'node:worker_threads'
import { instance } from '@viz-js/viz'
import { toSvg } from './to-svg.ts'

const graphviz = await instance()
// lay-out.ts gives the text of a graph, and nobody else starts this thread.
const drawn = graphviz.renderString(workerData as string, { format: 'svg' })
parentPort?.postMessage(toSvg(drawn))
