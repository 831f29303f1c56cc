import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { startServer } from './support.ts'

describeEngines('a retention that an operator has begun', (engine) => {
  test('is among the jobs, in the form that the document says, and by itself', async () => {
    const { app, storage, tags } = await startServer(engine, { retention: { keep: { '*': { entries: 2 } } } })
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await tags.insert({ id })
      // Each a link of its own: links go as wholes.
      await storage.audit.waitUntilSealed()
    }
    const report = await storage.retain({ actor: 'olga', requestId: 'tidy-up' })
    expect(report).toEqual({ removed: 3, horizon: 4, components: { tags: 4 } })
    const [{ id } = { id: '' }] = await storage.jobs.list()
    await storage.jobs.wait(id)
    const listed = await app.inject({ url: '/db/jobs' })
    expect(listed.statusCode).toBe(200)
    expect(listed.json()).toEqual([
      {
        ...{ id, kind: 'retention', state: 'done', actor: 'olga', request_id: 'tidy-up', cancel_requested: false },
        started_at: expect.stringMatching(/Z$/),
        finished_at: expect.stringMatching(/Z$/),
        progress: { phase: 'removing', entries: 3 },
        result: report,
        error: null,
      },
    ])
    const alone = await app.inject({ url: `/db/jobs/${id}` })
    expect([alone.statusCode, alone.json()]).toEqual([200, listed.json()[0]])
  })
})
