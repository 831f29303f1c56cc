import type { Callers } from './callers.ts'
import { type Marks, secretMark, tenantMarks, tenants } from './marks.ts'

/** Records that each tenant has from the start. */
const seeds = 10

/** Gives each tenant records with its mark in every field that has room for one. */
export async function sow(url: string, callers: Callers, marks: Marks): Promise<void> {
  for (const tenant of tenants) {
    const [editor] = callers.good('editor', tenant)
    if (!editor) throw new Error(`${tenant} has no editor`)
    const { text, year, number } = tenantMarks[tenant]
    const post = async (path: string, body: object): Promise<readonly { readonly id: number | string }[]> => {
      const headers = { ...editor.headers, 'content-type': 'application/json' }
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      const shown = await answer.text()
      if (answer.status !== 201) throw new Error(`${tenant} could not write to ${path}: ${answer.status} ${shown}`)
      marks.learn(tenant, shown)
      return JSON.parse(shown) as { readonly id: number | string }[]
    }
    const authors = await post(
      '/authors',
      Array.from({ length: seeds }, (_, index) => ({
        name: `${text} ${index}`,
        email: `${text}${index}@example.com`,
        weight: number + index + 0.5,
        balance: `${number + index}.25`,
        visits: String(number + index),
        seen: `${year}-01-0${(index % 9) + 1}T00:00:00.000Z`,
        born: `${year}-02-0${(index % 9) + 1}`,
        settings: { [text]: [text, { deep: number + index }] },
        photo: Buffer.from(`${text} as bytes ${index}`).toString('base64'),
        salary: number + index,
        password_hash: `${secretMark} ${text}`,
      })),
    )
    await post(
      '/articles',
      authors.map(({ id }, index) => ({
        title: `${text} title ${index}`,
        author_id: id,
        words: number + index,
        published: index % 2 === 0,
      })),
    )
  }
}
