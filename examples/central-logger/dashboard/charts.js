import { element, shape } from './dom.js'
import { count, dayOf, percent, shortInstant } from './format.js'

const height = 200
/** Pixels around the bars: labels stand there. */
const edge = { top: 12, right: 4, bottom: 26, left: 40 }

/**
 * Runs over time: a bar for each period, its failures on top. It is drawn anew whenever its width changes.
 * @param {readonly import('./api.js').Period[]} periods
 */
export function timelineChart(periods) {
  const failures = periods.reduce((sum, { failure }) => sum + failure, 0)
  const runs = periods.reduce((sum, { success }) => sum + success, failures)
  const label = `${count(runs)} runs in ${periods.length} periods, of which ${count(failures)} failed. The same as a table follows.`
  const box = element('div', { class: 'chart', role: 'img', 'aria-label': label })
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0)
    if (width > 0) box.replaceChildren(drawTimeline(periods, width))
  }).observe(box)
  const rows = periods.map(({ from, success, failure }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, shortInstant(from)),
      element('td', {}, count(success)),
      element('td', {}, count(failure)),
    ),
  )
  const head = element('tr', {}, ...['From', 'Succeeded', 'Failed'].map((name) => element('th', { scope: 'col' }, name)))
  const table = element('table', { class: 'figures' }, element('thead', {}, head), element('tbody', {}, ...rows))
  const region = { class: 'figures-box', tabindex: 0, role: 'region', 'aria-label': 'Runs over time as a table' }
  return [box, element('details', {}, element('summary', {}, 'As a table'), element('div', region, table))]
}

/**
 * @param {readonly import('./api.js').Period[]} periods
 * @param {number} width
 */
function drawTimeline(periods, width) {
  const most = roundUp(Math.max(1, ...periods.map(({ success, failure }) => success + failure)))
  const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom }
  const y = (/** @type {number} */ value) => edge.top + inner.height * (1 - value / most)
  const room = inner.width / Math.max(1, periods.length)
  const gap = room > 6 ? Math.min(6, room * 0.25) : 1
  const lines = [0, most / 2, most].flatMap((value) => [
    shape('line', { class: 'grid', x1: edge.left, x2: width - edge.right, y1: y(value), y2: y(value) }),
    shape('text', { class: 'label', x: edge.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, count(value)),
  ])
  const bars = periods.map(({ from, success, failure }, index) => {
    const x = edge.left + room * index + gap / 2
    const size = { x, width: Math.max(1, room - gap) }
    return shape(
      'g',
      { class: 'period' },
      shape('title', {}, `${shortInstant(from)}: ${count(success)} succeeded, ${count(failure)} failed`),
      shape('rect', { class: 'touch', x: edge.left + room * index, width: room, y: edge.top, height: inner.height }),
      success > 0 &&
        shape('rect', { class: 'success', ...size, y: y(success), height: y(0) - y(success), rx: Math.min(2, size.width / 2) }),
      failure > 0 &&
        shape('rect', { class: 'failure', ...size, y: y(success + failure), height: y(0) - y(failure), rx: Math.min(2, size.width / 2) }),
    )
  })
  return shape('svg', { width, height, 'aria-hidden': 'true' }, ...lines, ...bars, ...dayLabels(periods, room))
}

/**
 * The days below the bars, where each begins, and no closer than they can be read.
 * @param {readonly import('./api.js').Period[]} periods
 * @param {number} room pixels of a period
 */
function dayLabels(periods, room) {
  let free = 0
  return periods.flatMap(({ from }, index) => {
    const x = edge.left + room * index
    const before = periods[index - 1]
    if ((before && dayOf(before.from) === dayOf(from)) || x < free) return []
    free = x + 64
    return [shape('text', { class: 'label', x, y: height - 8 }, dayOf(from))]
  })
}

/**
 * The next of 2, 4, 10, 20, 40, 100, …: halves of them are whole.
 * @param {number} value
 */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 10].map((step) => step * power).find((step) => step >= value && step % 2 === 0) ?? 10 * power
}

/**
 * Runs by category: a bar for each, its failures at the end; each leads to its runs.
 * @param {readonly import('./api.js').Category[]} categories
 * @param {(category: string) => string} linkTo
 */
export function categoryChart(categories, linkTo) {
  const most = Math.max(1, ...categories.map(({ total }) => total))
  const rows = categories.map(({ category, total, failure }) => {
    const succeeded = (100 * (total - failure)) / most
    const bar = shape(
      'svg',
      { class: 'share', width: '100%', height: 8, 'aria-hidden': 'true' },
      shape('rect', { class: 'success', width: `${succeeded}%`, height: 8, rx: 2 }),
      failure > 0 && shape('rect', { class: 'failure', x: `${succeeded}%`, width: `${(100 * failure) / most}%`, height: 8, rx: 2 }),
    )
    const figures = element('span', { class: 'muted' }, `${count(total)} runs, ${percent(failure / total)} failed`)
    return element('li', {}, element('div', { class: 'share-head' }, element('a', { href: linkTo(category) }, category), figures), bar)
  })
  return element('ul', { class: 'shares' }, ...rows)
}
