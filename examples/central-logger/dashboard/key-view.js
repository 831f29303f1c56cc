import { apiKey } from './api.js'
import { element } from './dom.js'

/**
 * Asks for the key that everything else is asked with.
 * @param {string | undefined} fault what was wrong with the last one
 * @param {() => void} done
 */
export function keyView(fault, done) {
  const about = fault ? 'fault help' : 'help'
  const input = element('input', {
    id: 'key',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    // what a header can carry; spaces around it are cut off
    pattern: '\\s*[!-~]+\\s*',
    title: 'A key has Latin letters, digits and signs, and no spaces.',
    'aria-describedby': about,
    'aria-invalid': fault ? 'true' : null,
  })
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault()
    const key = input.value.trim()
    if (key === '') return
    apiKey.keep(key)
    done()
  }
  const form = element(
    'form',
    { class: 'card key', onsubmit: submit },
    element('h1', {}, 'Your runs'),
    element('p', { id: 'help', class: 'muted' }, 'An API key shows what the services of its client have logged. It stays in this tab.'),
    fault ? element('p', { id: 'fault', class: 'alert', role: 'alert' }, fault) : null,
    element('label', { for: 'key' }, 'API key'),
    input,
    element('button', { class: 'button main', type: 'submit' }, 'Show the runs'),
  )
  return { node: form, focus: input }
}
