import { runDocProgram } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import { modules, postgresUrl, programs } from '../doc-pages.ts'

describe('the servers of the docs', () => {
  test.for(programs.filter(({ program }) => program.calls.length > 0))(
    '$page, line $line, answer curl and Python as written',
    { timeout: 60_000 },
    async ({ program }) => {
      expect(await runDocProgram(program, { modules, calls: 'tools', postgresUrl })).toEqual([])
    },
  )

  test('answer at least one program in Python', () => {
    expect(programs.filter(({ program }) => program.calls.some(({ language }) => language === 'python')).length).toBeGreaterThan(0)
  })
})
