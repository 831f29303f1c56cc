import { element } from './dom.js'
import { count, duration, shortInstant } from './format.js'
import { statusBadge } from './parts.js'

/**
 * The runs of a page. On narrow screens what has no room of its own stands below the ticket.
 * @param {readonly import('./api.js').Log[]} logs
 */
export function logTable(logs) {
  const rows = logs.map((log) =>
    element(
      'tr',
      {},
      element('td', {}, element('time', { datetime: log.executed_at }, shortInstant(log.executed_at))),
      element(
        'td',
        {},
        element('a', { href: ticketLink(log.ticket_id) }, log.ticket_id),
        element('span', { class: 'narrow muted' }, `${log.workflow} · ${duration(log.duration_ms)}`),
      ),
      element('td', { class: 'wide' }, log.workflow),
      element('td', { class: 'wide' }, log.category),
      element('td', {}, statusBadge(log.status)),
      element('td', { class: 'wide number' }, duration(log.duration_ms)),
    ),
  )
  const column = (/** @type {string} */ name, /** @type {string} */ kind = '') => element('th', { scope: 'col', class: kind }, name)
  const head = element(
    'tr',
    {},
    column('Time'),
    column('Ticket'),
    column('Workflow', 'wide'),
    column('Category', 'wide'),
    column('Status'),
    column('Duration', 'wide number'),
  )
  return element(
    'table',
    { class: 'logs' },
    element('caption', { class: 'unseen' }, 'Runs, the newest first'),
    element('thead', {}, head),
    element('tbody', {}, ...rows),
  )
}

/** @param {string} ticket */
export const ticketLink = (ticket) => `#/tickets/${encodeURIComponent(ticket)}`

/**
 * Where one is in the pages, and the ways to the next.
 * @param {import('./api.js').Pagination} pagination
 * @param {(page: number) => void} go
 */
export function pager({ page, page_size: size, total, pages }, go) {
  const first = total === 0 ? 0 : (page - 1) * size + 1
  const turn = (/** @type {string} */ name, /** @type {string} */ id, /** @type {number} */ to) =>
    element('button', { id, class: 'button', type: 'button', disabled: to < 1 || to > pages, onclick: () => go(to) }, name)
  return element(
    'nav',
    { class: 'pager', 'aria-label': 'Pages of runs' },
    element('p', { class: 'muted' }, `${count(first)}–${count(Math.min(page * size, total))} of ${count(total)}`),
    element('div', { class: 'turns' }, turn('Previous', 'previous', page - 1), turn('Next', 'next', page + 1)),
  )
}
