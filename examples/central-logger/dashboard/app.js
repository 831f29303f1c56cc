import { ApiError, apiKey } from './api.js'
import { byId } from './dom.js'
import { keyView } from './key-view.js'
import { overviewView } from './overview-view.js'
import { fault } from './parts.js'
import { ticketView } from './ticket-view.js'

/**
 * What a view may ask of the page.
 * @typedef {{ readonly go: (path: string, query: import('./api.js').Filters) => void }} Going
 * @typedef {{ readonly node: HTMLElement, readonly title: string,
 *   readonly load: (query: import('./api.js').Filters, signal: AbortSignal) => Promise<string> }} View
 */

const main = byId('main')
const said = byId('said')
const actions = /** @type {HTMLElement} */ (document.querySelector('.actions'))

/** @type {{ readonly path: string, readonly view: View } | undefined} */
let shown
let loading = new AbortController()
/** @type {string | undefined} */
let refusal

/** @type {Going} */
const going = {
  go(path, query) {
    const text = new URLSearchParams(query).toString()
    const hash = text ? `#${path}?${text}` : `#${path}`
    // an address that stays the same is shown once more: what was typed and not sent goes
    if (location.hash === hash) void show()
    else location.hash = hash
  },
}

/** Reads the address: `#/?status=failure&page=2` or `#/tickets/T-17`. */
function readAddress() {
  const [path = '/', query = ''] = location.hash.slice(1).split(/\?(.*)/s)
  const ticket = /^\/tickets\/(.+)$/.exec(path)?.[1]
  return { path: ticket ? path : '/', ticket: ticket && decode(ticket), query: Object.fromEntries(new URLSearchParams(query)) }
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Shows what the address says. */
async function show() {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  actions.hidden = apiKey.get() === null
  if (apiKey.get() === null) return askForKey()
  const { path, ticket, query } = readAddress()
  if (shown?.path !== path) {
    const view = ticket ? ticketView(ticket) : overviewView(going)
    // who has come by a link is led to the beginning of what it leads to; who opens the page is not
    const moved = shown !== undefined
    shown = { path, view }
    main.replaceChildren(view.node)
    document.title = `${view.title} · Central logger`
    if (moved) {
      scrollTo(0, 0)
      main.querySelector('h1')?.focus({ preventScroll: true })
    }
  }
  const { view } = shown
  main.setAttribute('aria-busy', 'true')
  said.textContent = 'Loading'
  try {
    said.textContent = await view.load(query, signal)
    main.querySelector(':scope > .alert')?.remove()
  } catch (error) {
    if (signal.aborted) return
    fail(error)
  }
  if (!signal.aborted) main.removeAttribute('aria-busy')
}

/** @param {unknown} error */
function fail(error) {
  said.textContent = ''
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
    apiKey.forget()
    refusal = error.status === 401 ? 'The server does not know this key.' : 'This key may not read logs.'
    void show()
    return
  }
  main.querySelector(':scope > .alert')?.remove()
  main.prepend(fault(error instanceof Error ? error.message : String(error), () => void show()))
}

function askForKey() {
  shown = undefined
  main.removeAttribute('aria-busy')
  document.title = 'Central logger'
  const { node, focus } = keyView(refusal, () => void show())
  refusal = undefined
  main.replaceChildren(node)
  focus.focus()
}

byId('reload').addEventListener('click', () => void show())
byId('leave').addEventListener('click', () => {
  apiKey.forget()
  void show()
})
addEventListener('hashchange', () => void show())
void show()
