import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { type Content, readContent } from './content.ts'

/** A database whose restores are watched from outside. */
export interface WatchedPlace {
  /** What it holds now. */
  content(): Promise<Content>
  /** What a safety copy of this name holds. */
  safetyContent(name: string): Promise<Content>
  /** What restores have left that is neither the database nor a safety copy. */
  leftovers(): Promise<string[]>
  /** Resolves when nobody works on the database any more whose process was killed. */
  settled(): Promise<void>
}

/** Looks at the database of this URL. */
export function watchPlace(url: string): WatchedPlace {
  return url.startsWith('sqlite:') ? watchFile(url.slice('sqlite:'.length)) : watchServer(url)
}

function watchFile(path: string): WatchedPlace {
  const safety = `${path}-safety`
  return {
    content: () => readContent(path),
    safetyContent: (name) => readContent(join(safety, name)),
    leftovers: async () => {
      const work = (await readdir(dirname(path))).filter((name) => name.startsWith('.strongroom-work-'))
      const half = (await readdir(safety).catch(() => [])).filter(
        (name) => !/^before-restore-.*\.sqlite$|^held-while-restoring$/.test(name),
      )
      return [...work, ...half]
    },
    settled: async () => undefined,
  }
}

function watchServer(url: string): WatchedPlace {
  const ask = async (sql: string): Promise<string[]> => {
    const client = new pg.Client(url)
    await client.connect()
    const { rows } = await client.query<{ name: string }>(sql)
    await client.end()
    return rows.map(({ name }) => name)
  }
  return {
    content: () => readContent(url),
    safetyContent: (name) => readContent(url, name),
    leftovers: () =>
      ask(`SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, 'strongroom_staging_' || left(md5(current_schema()), 8))`),
    settled: async () => {
      // A restore holds this lock as long as its session lives.
      while ((await ask(`SELECT pid::text AS name FROM pg_locks WHERE locktype = 'advisory'`)).length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}
