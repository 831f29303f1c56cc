import { describe, expect, test } from 'vitest'
import { parseSqliteUrl } from '../../src/engine/sqlite/url.ts'

describe('a SQLite URL', () => {
  test.each([
    ['sqlite:./app.db', './app.db'],
    ['sqlite:app.db', 'app.db'],
    ['sqlite:../data/app.db', '../data/app.db'],
    ['sqlite:/data/app.db', '/data/app.db'],
    ['SQLITE:app.db', 'app.db'],
    ['sqlite:///./my_app.db', './my_app.db'],
    ['sqlite:///my_app.db', 'my_app.db'],
    ['sqlite:////data/app.db', '/data/app.db'],
    ['sqlite:///C:/data/app.db', 'C:/data/app.db'],
    ['sqlite::memory:', ':memory:'],
    ['sqlite:///:memory:', ':memory:'],
    ['sqlite://:memory:', ':memory:'],
    ['sqlite://', ':memory:'],
    ['sqlite:my%20app.db', 'my%20app.db'],
  ])('%s is the file %s', (url, path) => {
    expect(parseSqliteUrl(url)).toBe(path)
  })

  test.each(['sqlite:', 'sqlite://app.db', 'postgres://host/app', 'app.db', 'sqlite:app.db?mode=ro'])(
    '%s is refused with the forms that exist',
    (url) => {
      expect(() => parseSqliteUrl(url)).toThrow(
        expect.objectContaining({ code: 'invalid_options', message: expect.stringContaining('sqlite:./app.db') }),
      )
    },
  )
})
