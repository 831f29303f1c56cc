import { parseXml, XmlElement, XmlText } from '@rgrove/parse-xml'
import { type DiagramOptions, ModelAccessor, type Storage, UsageError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { beforeAll, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { Order, Profile, shownChoice, shownText, User } from './models.ts'

interface Content {
  readonly elements: string[]
  readonly attributes: string[]
  readonly texts: string[]
}

/** What an XML document says; throws where it is none. */
function readXml(xml: string): Content {
  const found: Content = { elements: [], attributes: [], texts: [] }
  const visit = (node: XmlElement): void => {
    found.elements.push(node.name)
    found.attributes.push(...Object.keys(node.attributes))
    for (const child of node.children) {
      if (child instanceof XmlElement) visit(child)
      else if (child instanceof XmlText) found.texts.push(child.text)
    }
  }
  const { root } = parseXml(xml)
  if (root) visit(root)
  return found
}

describeEngines('the diagram', (engine) => {
  const open = storagesOn(engine, 'suite')
  let storage: Storage
  beforeAll(async () => {
    storage = await open([new ModelAccessor(User, 'users'), new ModelAccessor(Profile, 'people'), new ModelAccessor(Order, 'orders')])
  })

  test('is an SVG that shows every table, field and key', async () => {
    const { elements, texts } = readXml(await storage.diagram())
    expect(elements[0]).toBe('svg')
    for (const { name, fields } of [User, Profile, Order]) {
      expect(texts).toContain(name)
      for (const field of fields) {
        if (field.role === 'data') expect(texts).toContain(field.name)
        else
          expect(
            texts.some((text) => text.includes(field.name)),
            field.name,
          ).toBe(field.role !== 'rowVersion')
      }
    }
    expect(texts).toEqual(expect.arrayContaining(['PK', 'FK', 'U', 'FK U', 'text?, secret', 'buyer + number', '\u00a0\u00a0/people']))
    expect(texts).toContain('profiles.user_id to users.id: one to one, on delete cascade')
  })

  test('shows a hostile text as it is, and nothing runs or is loaded', async () => {
    const svg = await storage.diagram()
    const { elements, attributes, texts } = readXml(svg)
    expect(texts.filter((text) => text.includes('onload'))).toEqual([shownText, `operator | ${shownChoice}`])
    expect(
      elements.filter((name) => !['svg', 'style', 'g', 'title', 'text', 'path', 'polygon', 'polyline', 'ellipse'].includes(name)),
    ).toEqual([])
    expect(elements.filter((name) => name === 'svg')).toHaveLength(1)
    expect(attributes.filter((name) => name.startsWith('on') || name.endsWith('href'))).toEqual([])
    expect(svg).not.toMatch(/url\(|@import|<!/)
  })

  test('is dark where its viewer likes it so: every colour has another', async () => {
    const svg = await storage.diagram()
    const dark = /@media \(prefers-color-scheme:dark\)\{(.*)\}<\/style>/.exec(svg)?.[1] ?? ''
    const colours = new Set(svg.match(/(?:fill|stroke)="#[0-9a-f]{6}"/g)?.map((attribute) => attribute.slice(-8, -1)))
    expect(colours.size).toBeGreaterThan(5)
    for (const colour of colours) expect(dark).toContain(`[fill="${colour}"]{fill:`)
    expect(svg).not.toMatch(/(?:fill|stroke)="(?!#|none)/)
  })

  test('is drawn once', async () => {
    const [first, second] = [storage.diagram(), storage.diagram()]
    expect(await first).toBe(await second)
    expect(await storage.diagram({ format: 'svg', system: false })).toBe(await first)
  })

  test('is DOT on request', async () => {
    expect(await storage.diagram({ format: 'dot' })).toMatch(/^digraph schema \{\n.*\}\n$/s)
  })

  test('has the library’s own tables on request only', async () => {
    expect(await storage.diagram({ format: 'dot' })).not.toContain('strongroom_')
    const { texts } = readXml(await storage.diagram({ system: true }))
    expect(texts).toEqual(expect.arrayContaining(['users', 'strongroom_audit_log', 'strongroom_kept_answers', 'strongroom_state']))
  })

  test('refuses what it does not know', async () => {
    for (const options of [{ format: 'png' }, { system: 'yes' }, { colour: 'red' }]) {
      const error = await rejectionOf(storage.diagram(options as unknown as DiagramOptions))
      expect(error).toBeInstanceOf(UsageError)
      expect(error).toMatchObject({ code: 'invalid_options' })
    }
  })

  test('of no models is empty', async () => {
    const empty = await open([])
    expect(readXml(await empty.diagram()).elements).not.toContain('polyline')
  })
})
