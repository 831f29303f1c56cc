import { readFile } from 'node:fs/promises'
import type { Principal, Storage } from '@strongroom/core'
import { categories, comments, posts, postTags, tags, users } from './models.ts'

/** The password of all people of the sample. It is in the README, so that a server with sample data is for your own machine. */
export const samplePassword = 'a lantern on the pier'

interface Sample {
  /** The address of the user who adds categories and tags. */
  readonly editor: string
  readonly users: readonly { email: string; name: string; roles: string[] }[]
  readonly categories: readonly { name: string; slug: string }[]
  readonly tags: readonly { name: string; slug: string }[]
  readonly posts: readonly {
    by: string
    category: string
    tags: string[]
    title: string
    slug: string
    body: string
    status: 'draft' | 'published'
    comments: { by: string; body: string }[]
  }[]
}

/** Fills an empty blog in one transaction, each record on behalf of the person who wrote it; one that has users stays as it is. */
export async function loadSample(storage: Pick<Storage, 'transaction'>): Promise<void> {
  if (await users.exists({}, { includeDeleted: true })) return
  const sample: Sample = JSON.parse(await readFile(new URL('../data/sample.json', import.meta.url), 'utf8'))
  await storage.transaction(() => insertSample(sample))
}

async function insertSample(sample: Sample): Promise<void> {
  const people = new Map<string, { principal: Principal; actor: string }>()
  for (const { email, name, roles } of sample.users) {
    const user = await users.insert({ email, name, roles, password: samplePassword }, { actor: 'sample' })
    people.set(email, { principal: { id: user.id, roles }, actor: email })
  }
  const by = (email: string) => found(people, email)
  const categoryIds = idsBySlug(await categories.insertMany(sample.categories, by(sample.editor)))
  const tagIds = idsBySlug(await tags.insertMany(sample.tags, by(sample.editor)))
  for (const { by: author, category, tags: slugs, comments: remarks, ...post } of sample.posts) {
    const { id } = await posts.insert({ ...post, category_id: found(categoryIds, category) }, by(author))
    await postTags.insertMany(
      slugs.map((slug) => ({ post_id: id, tag_id: found(tagIds, slug) })),
      by(author),
    )
    for (const { by: reader, body } of remarks) await comments.insert({ post_id: id, body }, by(reader))
  }
}

const idsBySlug = (rows: readonly { id: number; slug: string }[]): ReadonlyMap<string, number> =>
  new Map(rows.map(({ id, slug }) => [slug, id]))

function found<Value>(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name)
  if (value === undefined) throw new Error(`data/sample.json names ${name}, and does not have it.`)
  return value
}
