import { element } from './dom.js'

/** The filters that the API knows, as they stand in the address. */
export const filterNames = /** @type {const} */ (['ticket_id', 'status', 'category', 'workflow', 'since', 'until'])

/**
 * The form of the filters. What is chosen is applied at once, what is typed when it is sent.
 * @param {(filters: import('./api.js').Filters) => void} apply
 */
export function filterForm(apply) {
  const category = element('select', { id: 'category', name: 'category', onchange: send }, element('option', { value: '' }, 'All'))
  const status = element(
    'select',
    { id: 'status', name: 'status', onchange: send },
    ...[
      ['', 'All'],
      ['success', 'Succeeded'],
      ['failure', 'Failed'],
    ].map(([value, name]) => element('option', { value }, name)),
  )
  const text = (/** @type {string} */ id) =>
    element('input', { id, name: id, type: 'search', autocomplete: 'off', spellcheck: 'false', maxlength: 200 })
  const time = (/** @type {string} */ id) => element('input', { id, name: id, type: 'datetime-local', onchange: send })
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) =>
    element('div', { class: 'field' }, element('label', { for: input.id }, label), input)
  const form = element(
    'form',
    { class: 'card filters', role: 'search', 'aria-label': 'Filter the runs', onsubmit: send },
    field('Ticket', text('ticket_id')),
    field('Workflow', text('workflow')),
    field('Category', category),
    field('Status', status),
    field('From (UTC)', time('since')),
    field('Until (UTC)', time('until')),
    element(
      'div',
      { class: 'field buttons' },
      element('button', { class: 'button main', type: 'submit' }, 'Apply'),
      element('button', { class: 'button', type: 'button', onclick: () => apply({}) }, 'Clear'),
    ),
  )

  function send(/** @type {Event} */ event) {
    event.preventDefault()
    const given = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()])
    const instants = given.map(([name = '', value = '']) => [
      name,
      (name === 'since' || name === 'until') && value ? `${value.slice(0, 16)}:00Z` : value,
    ])
    apply(Object.fromEntries(instants.filter(([, value]) => value !== '')))
  }

  return {
    form,
    /** @param {import('./api.js').Filters} filters */
    show(filters) {
      for (const name of filterNames) {
        const input = /** @type {HTMLInputElement | HTMLSelectElement} */ (form.elements.namedItem(name))
        const value = filters[name] ?? ''
        if (name === 'category' && value) offer([value])
        input.value = name === 'since' || name === 'until' ? value.slice(0, 16) : value
      }
    },
    offer,
  }

  /** @param {readonly string[]} names categories that can be chosen */
  function offer(names) {
    const known = new Set([...category.options].map(({ value }) => value))
    category.append(...names.filter((name) => !known.has(name)).map((name) => element('option', { value: name }, name)))
  }
}
