import { readLogs } from './api.js'
import { element, shape } from './dom.js'
import { count, duration, instant } from './format.js'
import { blocks, nothing, statusBadge } from './parts.js'

/** The most runs of a ticket that are shown: what the API answers on one page. */
const most = 200

/**
 * Everything that ran for a ticket, each run with its trace.
 * @param {string} ticket
 */
export function ticketView(ticket) {
  const runs = element('div', { class: 'stack' }, blocks(6))
  const summary = element('p', { class: 'muted' })
  const back = element('a', { class: 'back', href: '#/' }, '← All runs')
  const node = element(
    'div',
    { class: 'stack' },
    element('div', {}, back, element('h1', { tabindex: -1 }, `Ticket ${ticket}`), summary),
    runs,
  )
  return {
    node,
    title: `Ticket ${ticket}`,
    /**
     * @param {import('./api.js').Filters} _query
     * @param {AbortSignal} signal
     */
    async load(_query, signal) {
      const { data, pagination } = await readLogs({ ticket_id: ticket, page_size: String(most) }, signal)
      const shown = pagination.total > most ? `, of which the newest ${most} are shown` : ''
      const said = pagination.total === 1 ? '1 run' : `${count(pagination.total)} runs${shown}`
      summary.textContent = data[0] ? `${said} · last ${instant(data[0].executed_at)} UTC` : ''
      runs.replaceChildren(...(data.length > 0 ? data.map(run) : [nothing('Nothing ran for this ticket.')]))
      return said
    },
  }
}

/** @param {import('./api.js').Log} log */
function run(log) {
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value))
  const metrics = Object.entries(log.metrics).map(([name, value]) => fact(name, count(value)))
  return element(
    'article',
    { class: 'card run' },
    element('header', { class: 'run-head' }, element('h2', {}, log.workflow), statusBadge(log.status)),
    element(
      'dl',
      { class: 'facts' },
      fact('Started (UTC)', instant(log.executed_at)),
      fact('Duration', duration(log.duration_ms)),
      fact('Category', log.category),
      ...metrics,
    ),
    element('h3', {}, 'Trace'),
    log.trace.length > 0 ? trace(log) : element('p', { class: 'muted' }, 'It told of no steps.'),
    ...(log.payload === null ? [] : [element('h3', {}, 'Payload'), code(log.payload, `Payload of ${log.log_id}`)]),
  )
}

/**
 * The steps with the time that each took: until the next began, the last until the end.
 * @param {import('./api.js').Log} log
 */
function trace({ trace: steps, duration_ms: whole }) {
  const end = Math.max(whole, ...steps.map(({ at_ms }) => at_ms), 0.001)
  const rows = steps.map(({ name, at_ms: at, detail }, index) => {
    const took = Math.max(0, (steps[index + 1]?.at_ms ?? end) - at)
    const x = (100 * Math.max(0, at)) / end
    const bar = shape(
      'svg',
      { class: 'span', width: '100%', height: 10, 'aria-hidden': 'true' },
      shape('rect', { class: 'track', width: '100%', height: 10, rx: 2 }),
      shape('rect', {
        class: name === 'error' ? 'failure' : 'step',
        x: `${Math.min(x, 99)}%`,
        width: `${Math.max(1, Math.min((100 * took) / end, 100 - x))}%`,
        height: 10,
        rx: 2,
      }),
    )
    return element(
      'li',
      { class: name === 'error' ? 'failed' : null },
      element(
        'div',
        { class: 'step-head' },
        element('span', { class: 'step-name' }, name),
        element('span', { class: 'muted' }, took > 0 ? `at ${duration(at)}, took ${duration(took)}` : `at ${duration(at)}`),
      ),
      bar,
      detail === undefined ? null : code(detail, `Detail of ${name}`),
    )
  })
  return element('ol', { class: 'trace' }, ...rows)
}

/**
 * JSON to read; it scrolls by itself, with the keys too.
 * @param {unknown} value
 * @param {string} label
 */
const code = (value, label) => element('pre', { tabindex: 0, role: 'region', 'aria-label': label }, JSON.stringify(value, null, 2))
