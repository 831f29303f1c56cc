import { readCategories, readLogs, readOverview, readTimeline } from './api.js'
import { categoryChart, timelineChart } from './charts.js'
import { element } from './dom.js'
import { filterForm, filterNames } from './filters.js'
import { count, duration, instant, percent } from './format.js'
import { logTable, pager } from './log-list.js'
import { blocks, nothing } from './parts.js'

const pageSize = 20

/**
 * Numbers, charts and the list of runs, all of what the filters in the address leave.
 * @param {import('./app.js').Going} going
 */
export function overviewView({ go }) {
  const filters = filterForm((chosen) => go('/', chosen))
  const tiles = element('dl', { class: 'tiles' }, blocks(1))
  const timeline = element('figure', { class: 'card' })
  const categories = element('figure', { class: 'card' })
  const list = element('section', { class: 'card', 'aria-label': 'Runs' })
  const node = element(
    'div',
    { class: 'stack' },
    element('h1', { tabindex: -1 }, 'Runs of your services'),
    filters.form,
    tiles,
    element('div', { class: 'charts' }, timeline, categories),
    list,
  )
  const caption = (/** @type {string} */ name, /** @type {import('./dom.js').Child} */ more = null) =>
    element('figcaption', {}, element('h2', {}, name), more)
  timeline.append(caption('Runs over time'), blocks(4))
  categories.append(caption('By category'), blocks(4))
  list.append(element('h2', {}, 'Runs'), blocks(8))
  /** @type {readonly import('./api.js').Category[] | undefined} what there is to choose from, whatever the filters leave */
  let all
  const link = (/** @type {import('./api.js').Filters} */ chosen) => `#/?${new URLSearchParams(chosen)}`

  return {
    node,
    title: 'Runs',
    /**
     * @param {import('./api.js').Filters} query
     * @param {AbortSignal} signal
     */
    async load(query, signal) {
      const chosen = Object.fromEntries(filterNames.flatMap((name) => (query[name] ? [[name, query[name]]] : [])))
      const page = /^[1-9]\d{0,5}$/.test(query['page'] ?? '') ? Number(query['page']) : 1
      filters.show(chosen)
      const [overview, shares, periods, logs, known] = await Promise.all([
        readOverview(chosen, signal),
        readCategories(chosen, signal),
        readTimeline(chosen, signal),
        readLogs({ ...chosen, page: String(page), page_size: String(pageSize) }, signal),
        all?.length ? all : readCategories({}, signal),
      ])
      all = known
      filters.offer(all.map(({ category }) => category))
      tiles.replaceChildren(...tilesOf(overview))
      const legend = element(
        'p',
        { class: 'legend' },
        element('span', { class: 'succeeded' }, 'Succeeded'),
        element('span', { class: 'failed' }, 'Failed'),
      )
      const empty = () => nothing('No runs in this selection.')
      timeline.replaceChildren(caption('Runs over time', legend), ...(periods.length > 0 ? timelineChart(periods) : [empty()]))
      const chart = categoryChart(shares, (category) => link({ ...chosen, category }))
      categories.replaceChildren(caption('By category'), shares.length > 0 ? chart : empty())
      list.replaceChildren(element('h2', {}, 'Runs'), ...listOf(logs, chosen, all.length === 0))
      return `${count(logs.pagination.total)} runs`
    },
  }

  /**
   * @param {import('./api.js').LogPage} page
   * @param {import('./api.js').Filters} chosen
   * @param {boolean} never nothing was ever logged
   */
  function listOf({ data, pagination }, chosen, never) {
    if (never)
      return [
        nothing('Nothing has been logged yet.', element('p', { class: 'muted' }, 'As soon as a service ships its first log, it is here.')),
      ]
    if (pagination.total === 0) {
      const clear = element('button', { class: 'button', type: 'button', onclick: () => go('/', {}) }, 'Clear the filters')
      return [nothing('No run is like that.', clear)]
    }
    if (data.length === 0) return [nothing('There are not so many pages.', element('a', { href: link(chosen) }, 'To the first page'))]
    return [logTable(data), pager(pagination, (page) => go('/', { ...chosen, page: String(page) }))]
  }
}

/** @param {import('./api.js').Overview} overview */
function tilesOf({ total, failure, failure_rate: rate, average_duration_ms: average, last_executed_at: last }) {
  const tile = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ kind = '') =>
    element('div', { class: `card tile ${kind}` }, element('dt', {}, name), element('dd', {}, value))
  return [
    tile('Runs', count(total)),
    tile('Failed', count(failure), failure > 0 ? 'failed' : ''),
    tile('Failure rate', total === 0 ? '–' : percent(rate)),
    tile('Average duration', duration(average)),
    tile('Last run (UTC)', last ? instant(last) : '–', 'text'),
  ]
}
