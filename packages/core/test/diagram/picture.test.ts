import { Bytes, defineModel, Json, Ref } from '@strongroom/core'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { pictureOf } from '../../src/schema/diagram/picture.ts'
import { toDot } from '../../src/schema/diagram/to-dot.ts'
import { Order, Profile, User } from './models.ts'

const picture = pictureOf([
  { model: User, component: 'users' },
  { model: Profile, component: 'people' },
  { model: Order, component: 'orders' },
])
const table = (name: string) => picture.tables.find((candidate) => candidate.name === name)
const typesOf = (name: string) => table(name)?.fields.map((field) => `${field.name}: ${field.type}${field.nullable ? '?' : ''}`)

describe('the picture of models', () => {
  test('has every field that clients know, with its type, and says which are secret', () => {
    expect(typesOf('orders')).toEqual([
      'id: integer',
      'buyer: integer',
      'seller: integer?',
      'number: integer',
      'total: decimal(12, 2)',
      'state: draft | placed | paid | sent | … 2 more',
      'created_at: datetime',
      'updated_at: datetime',
      'created_by: integer?',
      'updated_by: text?',
    ])
    const secrets = picture.tables.flatMap(({ fields }) => fields.filter(({ secret }) => secret).map(({ name }) => name))
    expect(secrets).toEqual(['password_hash'])
  })

  test('has the types of values that have bounds, and choices as far as there is room', () => {
    const choice = 'a choice that is longer than there is room for'
    const model = defineModel(
      'things',
      {
        short: Type.String({ maxLength: 3 }),
        blob: Bytes({ maxLength: 9 }),
        any: Json(),
        one: Type.Enum([choice]),
        level: Type.Enum([1, 2]),
      },
      { id: 'text' },
    )
    const [things] = pictureOf([{ model, component: 'things' }]).tables
    expect(things?.fields.map(({ type }) => type)).toEqual(['text', 'text(3)', 'bytes(9)', 'json', '1 choice', '1 | 2'])
  })

  test('has every key: primary, unique, references, and those of several fields', () => {
    const keys = (name: string) => table(name)?.fields.flatMap((field) => field.keys.map((key) => `${field.name} ${key}`))
    expect(keys('users')).toEqual(['id primary', 'email unique', 'manager_id reference'])
    expect(keys('profiles')).toEqual(['id primary', 'user_id reference', 'user_id unique'])
    expect(table('orders')?.uniqueTogether).toEqual([['buyer', 'number']])
  })

  test('has every reference with how many there are on both ends', () => {
    const words = picture.references.map(({ table: from, field, target, targets, sources }) => [
      `${from}.${field}`,
      sources,
      targets,
      target,
    ])
    expect(words).toEqual([
      ['users.manager_id', 'many', 'zeroOrOne', 'users'],
      ['profiles.user_id', 'zeroOrOne', 'one', 'users'],
      ['orders.buyer', 'many', 'one', 'users'],
      ['orders.seller', 'many', 'zeroOrOne', 'users'],
      ['orders.created_by', 'many', 'zeroOrOne', 'users'],
    ])
  })
})

describe('its DOT', () => {
  const dot = toDot(picture)
  const edges = dot.split('\n').filter((line) => line.includes('->'))

  test('draws a line for each reference, from field to field, with crow’s feet', () => {
    expect(edges.map((line) => line.trim().replace(/, (minlen|color).*(, tooltip)/, '$2'))).toEqual([
      '"users.users":e -> "users":"manager_id.left":w [arrowtail=teeodot, arrowhead=crowodot, style=dashed, tooltip="users.manager_id to users.id: many to one or none, on delete restrict"]',
      '"users":"id.right":e -> "profiles":"user_id.left":w [arrowtail=teetee, arrowhead=teeodot, tooltip="profiles.user_id to users.id: one to one, on delete cascade"]',
      '"users":"id.right":e -> "orders":"buyer.left":w [arrowtail=teetee, arrowhead=crowodot, tooltip="orders.buyer to users.id: many to one, on delete restrict"]',
      '"users":"id.right":e -> "orders":"seller.left":w [arrowtail=teeodot, arrowhead=crowodot, style=dashed, tooltip="orders.seller to users.id: many to one or none, on delete setNull"]',
      '"orders.users":e -> "orders":"created_by.left":w [arrowtail=teeodot, arrowhead=crowodot, style=dashed, tooltip="orders.created_by to users.id: many to one or none, on delete restrict"]',
    ])
  })

  test('puts those that point to one table into several columns, so that the picture is not one tall column', () => {
    const parts = Array.from({ length: 9 }, (_, index) => defineModel(`part_${index}`, { user_id: Ref(() => User) }))
    const lines = toDot(pictureOf([User, ...parts].map((model) => ({ model, component: model.name }))))
    const columns = [...lines.matchAll(/"part_\d":"user_id\.left":w \[[^\]]*?(?:minlen=(\d))?, tooltip/g)].map(([, length = '1']) => length)
    expect(columns).toEqual(['1', '2', '3', '1', '2', '3', '1', '2', '3'])
  })

  test('names the component of a table where it is another', () => {
    expect(dot).toContain('<B><FONT COLOR="#10304f">profiles</FONT></B><FONT COLOR="#6a7683">&#160;&#160;/people</FONT>')
    expect(dot).not.toContain('/orders')
  })

  test('has nothing of a hostile text but its letters', () => {
    expect(dot).toContain(
      'TITLE="&lt;svg onload=&quot;alert(1)&quot;&gt;&#39;\\\\N\\\\G &amp;lt; &amp; ]]&gt; --&gt; \ufffd\ufffd \ufffd\ufffd."',
    )
    expect(dot).toContain('>operator | &lt;b onload=x&gt;&quot;\\\\N&amp;gt;\ufffd<')
    expect(dot).not.toContain('<svg')
    expect(dot.isWellFormed()).toBe(true)
  })
})
