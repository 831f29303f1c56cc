import { element } from './dom.js'

/** @param {'success' | 'failure'} status */
export const statusBadge = (status) =>
  element('span', { class: `badge ${status === 'failure' ? 'failed' : 'succeeded'}` }, status === 'failure' ? 'Failed' : 'Succeeded')

/**
 * Says that something went wrong, and offers to try again.
 * @param {string} message
 * @param {() => void} again
 */
export const fault = (message, again) =>
  element(
    'div',
    { class: 'alert', role: 'alert' },
    element('p', {}, message),
    element('button', { class: 'button', type: 'button', onclick: again }, 'Try again'),
  )

/**
 * What stands where there is nothing to show.
 * @param {string} title
 * @param {...import('./dom.js').Child} more
 */
export const nothing = (title, ...more) => element('div', { class: 'nothing' }, element('p', { class: 'nothing-title' }, title), ...more)

/** Grey blocks where something is on its way. */
export const blocks = (/** @type {number} */ rows) =>
  element('div', { class: 'blocks', 'aria-hidden': 'true' }, ...Array.from({ length: rows }, () => element('div', {})))
