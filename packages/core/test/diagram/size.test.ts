import { type AnyModel, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { Diagrams } from '../../src/schema/diagram/diagram.ts'

/** So many tables: the first six are pointed to by all others, and every third one points to one before it as well. */
function tables(count: number): AnyModel[] {
  const models: AnyModel<number>[] = []
  const at = (index: number) => (): AnyModel<number> => models[index] ?? models[0] ?? expect.unreachable()
  for (let index = 0; index < count; index++) {
    const fields = { name: Type.String(), note: Type.Optional(Type.String()), count: Type.Integer() }
    const owner = { owner_id: Ref(at(index % 6)) }
    const parent = { parent_id: Type.Optional(Ref(at(Math.floor(index / 3)))) }
    models.push(defineModel(`table_${index}`, { ...fields, ...(index >= 6 && owner), ...(index >= 6 && index % 3 === 0 && parent) }))
  }
  return models
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Where the tables of a picture are. */
function boxesOf(svg: string): Map<string, Box> {
  const nodes = svg.matchAll(/class="node">\s*<title>(\w+)<\/title>\s*<polygon [^>]*points="([^"]+)"/g)
  return new Map(
    [...nodes].map(([, name = '', points = '']) => {
      const corners = points.split(' ').map((point) => point.split(',').map(Number))
      const xs = corners.map(([x = 0]) => x)
      const ys = corners.map(([, y = 0]) => y)
      return [name, { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) }]
    }),
  )
}

test.each([5, 60])('a picture of %i tables can be read: none hides another, no text is made smaller, and it fits a page', async (count) => {
  const models = tables(count)
  const svg = await new Diagrams(models.map((model) => new ModelAccessor(model, model.name))).diagram({})
  const boxes = [...boxesOf(svg)]
  expect(boxes.map(([name]) => name).toSorted()).toEqual(models.map(({ name }) => name).toSorted())
  const hidden = boxes.flatMap(([name, box], index) =>
    boxes
      .slice(index + 1)
      .filter(([, other]) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom)
      .map(([other]) => `${name} and ${other}`),
  )
  expect(hidden).toEqual([])
  expect([svg.includes('scale(1 1)'), [...new Set(svg.match(/font-size="[^"]+"/g))].toSorted()]).toEqual([
    true,
    ['font-size="10.00"', 'font-size="11.00"', 'font-size="8.00"'],
  ])
  const [, width = 0, height = 0] = (/viewBox="0.00 0.00 (\S+) (\S+)"/.exec(svg) ?? []).map(Number)
  expect(Math.max(width / height, height / width)).toBeLessThan(4)
})
