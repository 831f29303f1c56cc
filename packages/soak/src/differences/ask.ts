import type { Dice } from '../requests/dice.ts'
import { someFilter } from './filters.ts'
import { type Component, components, fields, idNames, included, references, required } from './models.ts'
import type { Question } from './question.ts'
import { chosenUuids, someRecord, someValue, someWord, textIds } from './values.ts'

const actors = ['ann', 'bob', 'Zoe'] as const

/** Makes the next request of a run. Writes name themselves by their number, so that they can be undone. */
export class Asking {
  readonly #dice: Dice
  #count = 0
  #listed: Component = 'authors'

  constructor(dice: Dice) {
    this.#dice = dice
  }

  next(): Question {
    this.#count++
    const dice = this.#dice
    const component = dice.pick(components) ?? 'authors'
    const question = this.#of(component)
    if (question.method === 'GET') return question
    const url = dice.chance(0.05) ? `${question.url}${question.url.includes('?') ? '&' : '?'}dry_run=true` : question.url
    const headers = { 'x-user': dice.pick(actors), 'x-request-id': `r${this.#count}`, ...question.headers }
    return { ...question, url, headers }
  }

  #of(component: Component): Question {
    const dice = this.#dice
    const roll = dice.integer(0, 99)
    if (roll < 14) return this.#create(component)
    if (roll < 18) return this.#createMany(component)
    if (roll < 25) return this.#save(component)
    if (roll < 32) return this.#patch(component)
    if (roll < 37) return this.#remove(component)
    if (roll < 40) return this.#bringBack(component)
    if (roll < 44) return this.#revert(component)
    if (roll < 48) return this.#batch()
    if (roll < 51) return this.#many(component)
    if (roll < 55) return this.#undo()
    if (roll < 58) return this.#import(component)
    if (roll < 62) return this.#past(component)
    if (roll < 64) return this.#audit(component)
    if (roll < 66) return this.#changes(component)
    if (roll < 74) return this.#aggregate(component)
    if (roll < 78) return this.#one(component)
    if (roll < 83) return this.#page()
    return this.#list(component)
  }

  #path(component: Component): string {
    const dice = this.#dice
    const id = dice.chance(0.93)
      ? someRecord(component, dice)
      : dice.pick(['0', '-1', 'x', '9007199254740993', '1.0', '00000000-0000-0000-0000-000000000000', 'a%00'])
    return `/${component}/${id}`
  }

  #create(component: Component): Question {
    return { kind: 'create', method: 'POST', url: `/${component}`, body: this.#record(component), component }
  }

  #createMany(component: Component): Question {
    const rows = Array.from({ length: this.#dice.integer(0, 6) }, () => this.#record(component))
    return { kind: 'create many', method: 'POST', url: `/${component}`, body: rows, component }
  }

  #save(component: Component): Question {
    const dice = this.#dice
    const body = dice.chance(0.7) ? this.#record(component, false) : this.#patchOf(component)
    const query = dice.chance(0.3) ? '?replace=true' : ''
    const id = dice.chance(0.3) && !isCounted(component) ? this.#chosen(component) : undefined
    const url = `${id === undefined ? this.#path(component) : `/${component}/${encodeURIComponent(id)}`}${query}`
    return { kind: 'save', method: 'PUT', url, body, component, ...this.#conditions() }
  }

  #chosen(component: Component): string {
    return component === 'articles' ? this.#dice.pick(chosenUuids) : this.#dice.pick(textIds)
  }

  #patch(component: Component): Question {
    return { kind: 'patch', method: 'PATCH', url: this.#path(component), body: this.#patchOf(component), component, ...this.#conditions() }
  }

  #conditions(): Pick<Question, 'headers'> {
    const dice = this.#dice
    if (dice.chance(0.95)) return {}
    return { headers: dice.pick([{ 'if-match': '*' }, { 'if-none-match': '*' }, { 'if-match': '"x"' }]) }
  }

  #remove(component: Component): Question {
    const dice = this.#dice
    const query = dice.pick(['', '', '', '?purge=true', '?erase=true'])
    return { kind: `delete${query}`, method: 'DELETE', url: `${this.#path(component)}${query}`, component }
  }

  #bringBack(component: Component): Question {
    return { kind: 'restore', method: 'POST', url: `${this.#path(component)}/restore`, component }
  }

  #revert(component: Component): Question {
    const dice = this.#dice
    const to = dice.chance(0.7) ? someRecord('moment', dice) : someRecord('entry', dice)
    return { kind: 'revert', method: 'POST', url: `${this.#path(component)}/revert`, body: { to }, component }
  }

  #batch(): Question {
    const dice = this.#dice
    const asked: Component[] = []
    const operations = Array.from({ length: dice.integer(1, 5) }, () => {
      const component = dice.pick(components) ?? 'authors'
      // Of another component it would be a number that differs from side to side.
      const earlier = asked.lastIndexOf(component)
      asked.push(component)
      const id = earlier >= 0 && dice.chance(0.4) ? `$${earlier}.${idNames[component]}` : someRecord(component, dice)
      const method = dice.pick(['create', 'create', 'save', 'patch', 'delete', 'restore'] as const)
      if (method === 'create') return { method, component, body: this.#record(component) }
      if (method === 'delete') return { method, component, id, ...(dice.chance(0.3) && { purge: true }) }
      if (method === 'restore') return { method, component, id }
      return { method, component, id, body: this.#patchOf(component), ...(method === 'save' && dice.chance(0.2) && { replace: true }) }
    })
    return { kind: 'batch', method: 'POST', url: '/batch', body: { operations } }
  }

  #many(component: Component): Question {
    const dice = this.#dice
    const query = [someFilter(component, dice), `at_most=${dice.pick([1, 3, 10, 100])}`]
    if (dice.chance(0.6))
      return { kind: 'patch many', method: 'PATCH', url: `/${component}?${query.join('&')}`, body: this.#patchOf(component), component }
    if (dice.chance(0.2)) query.push('purge=true')
    return { kind: 'delete many', method: 'DELETE', url: `/${component}?${query.join('&')}`, component }
  }

  #undo(): Question {
    const dice = this.#dice
    const what = dice.chance(0.8)
      ? { request_id: `r${Math.max(1, this.#count - dice.integer(1, 40))}` }
      : { actor: dice.pick(actors), since: '{moment:0}' }
    const body = { ...what, ...(dice.chance(0.5) && { conflicts: 'skip' }), ...(dice.chance(0.3) && { at_most: 5 }) }
    return { kind: 'undo', method: 'POST', url: '/db/revert', body }
  }

  #import(component: Component): Question {
    const dice = this.#dice
    const names = dice.some(fields[component], 6)
    for (const name of required[component]) if (!names.includes(name) && dice.chance(0.95)) names.push(name)
    if (component === 'labels' || component === 'countries' || dice.chance(0.5)) names.push(idNames[component])
    const cell = (name: string): string => {
      if (name === idNames[component])
        return component === 'labels' || component === 'countries' ? quoted(dice.pick(textIds)) : someRecord(component, dice)
      return dice.chance(0.1) ? '' : quoted(someWord(name, dice))
    }
    const rows = Array.from({ length: dice.integer(1, 4) }, () => names.map(cell).join(','))
    const mode = dice.pick(['insert', 'upsert', 'upsert'])
    return {
      kind: `import ${mode}`,
      method: 'POST',
      url: `/db/import?table=${component}&mode=${mode}`,
      body: [names.join(','), ...rows, ''].join('\r\n'),
      headers: { 'content-type': 'text/csv', prefer: 'wait=20' },
      component,
    }
  }

  #past(component: Component): Question {
    const dice = this.#dice
    const path = this.#path(component)
    if (dice.chance(0.4))
      return { kind: 'history', method: 'GET', url: `${path}/history?limit=${dice.integer(1, 9)}&offset=${dice.integer(0, 2)}`, component }
    const to = dice.chance(0.5) ? `&to=${someRecord('moment', dice)}` : ''
    return { kind: 'diff', method: 'GET', url: `${path}/diff?from=${someRecord('moment', dice)}${to}`, component }
  }

  #audit(component: Component): Question {
    const dice = this.#dice
    const query = [`limit=${dice.integer(1, 20)}`]
    if (dice.chance(0.7)) {
      query.push(`component=${component}`)
      if (dice.chance(0.6)) query.push(`record_id=${someRecord(component, dice)}`)
    }
    if (dice.chance(0.3)) query.push(`actor=${dice.pick(actors)}`)
    if (dice.chance(0.3)) query.push(`operation=${dice.pick(['create', 'update', 'delete', 'soft_delete', 'purge', 'erase', 'restore'])}`)
    if (dice.chance(0.3)) query.push(`request_id=r${dice.integer(1, this.#count)}`)
    if (dice.chance(0.3)) query.push(`since=${someRecord('moment', dice)}`)
    if (dice.chance(0.2)) query.push(`until=${someRecord('moment', dice)}`)
    return { kind: 'audit', method: 'GET', url: `/db/audit?${query.join('&')}` }
  }

  #changes(component: Component): Question {
    const dice = this.#dice
    const query = `after=${dice.chance(0.1) ? 'start' : someRecord('place', dice)}&limit=${dice.integer(1, 30)}`
    const url = `/${dice.chance(0.3) ? 'db' : component}/changes?${query}`
    return { kind: 'changes', method: 'GET', url, headers: { accept: 'application/json', prefer: 'respond-async' }, sealed: true }
  }

  #aggregate(component: Component): Question {
    const dice = this.#dice
    const all = [...fields[component], idNames[component]]
    const query: string[] = []
    if (dice.chance(0.7)) query.push(`group_by=${dice.some(all, 2).join(',')}`)
    // What ids count to is each side's own, and so is in which order floating-point numbers are added.
    const measured = fields[component].filter((name) => !(name in references))
    const measure = (): string => {
      const name = dice.pick(measured)
      return dice.chance(0.3) ? 'count' : `${dice.pick(name === 'weight' ? ['min', 'max'] : ['sum', 'avg', 'min', 'max'])}:${name}`
    }
    query.push(`measures=${[...new Set(Array.from({ length: dice.integer(1, 3) }, measure))].join(',')}`)
    if (dice.chance(0.4)) query.push(someFilter(component, dice))
    if (dice.chance(0.2)) query.push(`limit=${dice.integer(1, 3)}`)
    if (dice.chance(0.2)) query.push('include_deleted=true')
    return { kind: 'aggregate', method: 'GET', url: `/${component}/aggregate?${query.join('&')}`, component }
  }

  #one(component: Component): Question {
    const dice = this.#dice
    const query: string[] = []
    if (dice.chance(0.3)) query.push(`at=${someRecord('moment', dice)}`)
    else if (dice.chance(0.4)) query.push(`include=${this.#include(component)}`)
    if (dice.chance(0.3)) query.push(`fields=${dice.some(fields[component], 4).join(',')}`)
    if (dice.chance(0.2)) query.push('include_deleted=true')
    return { kind: 'get', method: 'GET', url: `${this.#path(component)}?${query.join('&')}`, component }
  }

  #include(component: Component): string {
    return this.#dice.some(Object.keys(included[component]), 2).join(',') || 'nothing'
  }

  #list(component: Component): Question {
    const dice = this.#dice
    const query: string[] = []
    if (dice.chance(0.8)) query.push(someFilter(component, dice))
    if (dice.chance(0.6)) {
      const order = dice.some([...fields[component], idNames[component]], 3).map((name) => (dice.chance(0.5) ? `-${name}` : name))
      query.push(`sort=${order.join(',')}`)
    }
    if (dice.chance(0.6)) query.push(`limit=${dice.integer(0, 7)}`)
    if (dice.chance(0.2)) query.push(`offset=${dice.integer(0, 5)}`)
    if (dice.chance(0.2)) query.push('include_deleted=true')
    if (dice.chance(0.2)) query.push('count=none')
    if (dice.chance(0.25)) query.push(`at=${someRecord('moment', dice)}`)
    else if (dice.chance(0.2)) query.push(`include=${this.#include(component)}`)
    if (dice.chance(0.2)) query.push(`fields=${dice.some(fields[component], 4).join(',')}`)
    this.#listed = component
    return {
      kind: query.some((part) => part.startsWith('at=')) ? 'list at' : 'list',
      method: 'GET',
      url: `/${component}?${query.join('&')}`,
      component,
    }
  }

  /** A page beside that of the last list. */
  #page(): Question {
    const page = this.#dice.pick(['next', 'next', 'next', 'prev', 'last', 'first'])
    return { kind: `${page} page`, method: 'GET', url: `{${page}:0}`, component: this.#listed }
  }

  /** A record, mostly whole. */
  #record(component: Component, always = true): Record<string, unknown> {
    const dice = this.#dice
    const names = new Set(dice.some(fields[component], 8))
    for (const name of required[component]) if (always ? dice.chance(0.98) : dice.chance(0.9)) names.add(name)
    const record: Record<string, unknown> = {}
    for (const name of names) record[name] = someValue(name, dice)
    if (always && (component === 'labels' || component === 'countries')) record[idNames[component]] = dice.pick(textIds)
    return record
  }

  #patchOf(component: Component): Record<string, unknown> {
    const dice = this.#dice
    const changes: Record<string, unknown> = {}
    for (const name of dice.some(fields[component], 3)) changes[name] = dice.chance(0.1) ? null : someValue(name, dice)
    return changes
  }
}

/** Whose ids are counted: a number that is chosen stands for another record on each side. */
function isCounted(component: Component): boolean {
  return component === 'authors' || component === 'comments'
}

/** A cell of a CSV file, but for the name of a record. */
function quoted(text: string): string {
  return /^\{\w+:\d+\}$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`
}
