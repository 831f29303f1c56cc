import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeEngines } from '@strongroom/testkit'
import axe, { type AxeResults } from 'axe-core'
import type { FastifyInstance } from 'fastify'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { logs } from '../../src/models.ts'
import { loadSample, samplePassword } from '../../src/sample.ts'
import { startServer } from '../../src/server.ts'

// The system's browser; a missing one fails. Its sandbox does not start as root, and the pages are ours.
const browsers = ['/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = process.env['CHROMIUM'] ?? browsers.find((path) => existsSync(path)) ?? '/usr/bin/chromium'
/** A folder for pictures of what the tests see; none unless said. */
const pictures = process.env['DASHBOARD_PICTURES']
const widths = [390, 1440]
const themes = ['light', 'dark'] as const

/** What would run, or be drawn, if a page took it for HTML. */
const hostile = `"><img src=x onerror="window.harmed='yes'"><svg onload="window.harmed='yes'"></svg>{{7*7}}`
const hostileTicket = `<script>window.harmed='yes'</script>/..%2F?x=1#${'x'.repeat(150)}`

describeEngines('the dashboard', (engine) => {
  let app: FastifyInstance
  let browser: Browser
  let key = ''
  const faults: string[] = []

  beforeAll(async () => {
    app = await startServer({ databaseUrl: await engine.freshUrl(), port: 0, logLevel: 'silent', rateLimit: false })
    await loadSample(app.storage)
    key = await issueKey('acme')
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(async () => {
    await browser?.close()
    await app.close()
  })

  const issueKey = async (client: string): Promise<string> => {
    const payload = { email: `service@${client}.example`, password: samplePassword }
    const { access_token } = (await app.inject({ method: 'POST', url: '/auth/token', payload })).json()
    const headers = { authorization: `Bearer ${access_token}` }
    return (await app.inject({ method: 'POST', url: '/auth/api-keys', headers, payload: { name: client } })).json().key
  }

  /** A page of a browser that has seen nothing yet. What it complains of ends the test that opened it. */
  const openPage = async (width = 1440, colorScheme: (typeof themes)[number] = 'light'): Promise<Page> => {
    const context = await browser.newContext({
      viewport: { width, height: width < 500 ? 844 : 1000 },
      colorScheme,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    faults.length = 0
    page.on('pageerror', ({ message }) => faults.push(message))
    page.on('console', (message) => {
      // refused and cut requests are asked for by the tests
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(app.listeningOrigin)) faults.push(`it asked ${request.url()}`)
    })
    onTestFinished(async () => {
      await context.close()
      expect(faults).toEqual([])
    })
    await page.goto(`${app.listeningOrigin}/dashboard`)
    return page
  }

  const enter = async (page: Page, text = key): Promise<void> => {
    await page.getByLabel('API key').fill(text)
    await page.keyboard.press('Enter')
  }
  const settled = (page: Page) => page.locator('main:not([aria-busy]) > .stack').waitFor()
  const openOverview = async (width?: number, theme?: (typeof themes)[number]): Promise<Page> => {
    const page = await openPage(width, theme)
    await enter(page)
    await page.locator('table.logs').waitFor()
    return page
  }
  const tile = (page: Page, name: string) => page.locator('.tile', { hasText: name }).locator('dd')
  const goTo = async (page: Page, hash: string): Promise<void> => {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await settled(page)
  }

  /** What axe finds that is serious or critical, and whether the page can be moved sideways. */
  const problems = async (page: Page): Promise<string[]> => {
    // the page's own policy lets no script of ours in: this comes by the debugger
    await page.evaluate(axe.source)
    const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults
    const found = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`)
    const [content = 0, window = 0] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
    return content > window ? [...found, `it is ${content} wide in a window of ${window}`] : found
  }
  const picture = async (page: Page, name: string): Promise<void> => {
    if (!pictures || engine.name !== 'sqlite') return
    await mkdir(pictures, { recursive: true })
    await page.screenshot({ path: join(pictures, `${name}.png`) })
  }

  test('asks for a key, says when it is not known, and forgets it', async () => {
    const page = await openPage()
    await enter(page, 'no kéy')
    expect(await page.getByLabel('API key').evaluate((input) => input.matches(':invalid'))).toBe(true)
    await enter(page, 'sr_wrong_key')
    await expect.poll(() => page.getByRole('alert').textContent()).toBe('The server does not know this key.')
    await enter(page)
    await page.locator('table.logs').waitFor()
    expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, ''])
    await page.reload()
    await page.locator('table.logs').waitFor()
    await page.getByRole('button', { name: 'Forget key' }).click()
    await page.getByLabel('API key').waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })

  test('shows the numbers of the client whose key it is, and what the filters leave of them', async () => {
    const page = await openOverview()
    const rows = await logs.find({ where: { client_id: 'acme' }, access: 'system' })
    const failed = rows.filter(({ status }) => status === 'failure')
    expect(await tile(page, 'Runs').textContent()).toBe(String(rows.length))
    expect(await tile(page, 'Failed').first().textContent()).toBe(String(failed.length))
    expect(await page.locator('.period').count()).toBeGreaterThan(5)
    expect(await page.locator('.figures tbody tr').count()).toBe(await page.locator('.period').count())

    await page.getByLabel('Status').selectOption('failure')
    await expect.poll(() => tile(page, 'Runs').textContent()).toBe(String(failed.length))
    expect(new URL(page.url()).hash).toBe('#/?status=failure')
    expect(await page.locator('.logs .badge').allTextContents()).toEqual(failed.slice(0, 20).map(() => 'Failed'))

    await page.getByRole('link', { name: 'billing' }).click()
    const billing = failed.filter(({ category }) => category === 'billing')
    await expect.poll(() => tile(page, 'Runs').textContent()).toBe(String(billing.length))
    expect(await page.getByLabel('Category').inputValue()).toBe('billing')

    // an address with filters can be sent to somebody, and gone back from
    await page.reload()
    await page.locator('table.logs').waitFor()
    expect(await tile(page, 'Runs').textContent()).toBe(String(billing.length))
    expect(await page.getByLabel('Status').inputValue()).toBe('failure')
    await page.goBack()
    await expect.poll(() => tile(page, 'Runs').textContent()).toBe(String(failed.length))
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(() => tile(page, 'Runs').textContent()).toBe(String(rows.length))

    await page.getByLabel('From (UTC)').fill('2026-11-28T12:00')
    await page.keyboard.press('Enter')
    const late = rows.filter(({ executed_at }) => executed_at >= new Date('2026-11-28T12:00:00Z'))
    await expect.poll(() => tile(page, 'Runs').textContent()).toBe(String(late.length))
  })

  test('turns pages, each run on one of them', async () => {
    const page = await openOverview()
    const total = await logs.count({ client_id: 'acme' }, { access: 'system' })
    const seen: string[] = []
    for (let turned = 1; turned <= Math.ceil(total / 20); turned++) {
      const first = (turned - 1) * 20 + 1
      await page.getByText(`${first}–${Math.min(turned * 20, total)} of ${total}`).waitFor()
      seen.push(...(await page.locator('.logs tbody tr').evaluateAll((rows) => rows.map((row) => row.textContent ?? ''))))
      if (turned * 20 < total) await page.getByRole('button', { name: 'Next' }).click()
    }
    expect(seen).toHaveLength(total)
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true)
    await goTo(page, '#/?page=9999')
    await page.getByText('There are not so many pages.').waitFor()
  })

  test('leads with the keyboard alone to a ticket with the traces of its runs, and back', async () => {
    const page = await openOverview()
    const failed = await logs.findOne({ where: { client_id: 'acme', status: 'failure' }, orderBy: '-executed_at', access: 'system' })
    await goTo(page, '#/?status=failure')
    await page.getByLabel('Status').focus()
    for (let pressed = 0; pressed < 40; pressed++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.closest(".logs") !== null')) === true) break
    }
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: `Ticket ${failed?.ticket_id}` }).waitFor()
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    await page.locator('.trace').first().waitFor()
    const run = page.locator('.run', { hasText: 'Failed' })
    expect(await run.locator('.step-name').allTextContents()).toEqual(failed?.trace.map(({ name }) => name))
    expect(await run.locator('.trace pre').textContent()).toContain('"message"')
    expect(await run.locator('pre').last().textContent()).toBe(JSON.stringify(failed?.payload, null, 2))
    await page.getByRole('link', { name: 'All runs' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('table.logs').waitFor()
  })

  test('shows what a service logged as text, whatever it is', async () => {
    const log = {
      ticket_id: hostileTicket,
      workflow: hostile,
      category: hostile,
      status: 'failure' as const,
      executed_at: '2026-11-30T20:00:00Z',
      duration_ms: 5,
      metrics: { [hostile]: 1, __proto__x: 2 },
      payload: { text: hostile, deep: [hostile] },
      trace: [
        { name: hostile, at_ms: -5, detail: hostile },
        { name: 'later than the end', at_ms: 1e9 },
      ],
    }
    const globex = await issueKey('globex')
    const headers = { 'x-api-key': globex }
    expect((await app.inject({ method: 'POST', url: '/api/v1/logs', headers, payload: log })).statusCode).toBe(201)
    for (const width of widths) {
      const page = await openPage(width)
      await enter(page, globex)
      await page.getByRole('link', { name: hostileTicket }).first().click()
      await page.getByRole('heading', { level: 1, name: `Ticket ${hostileTicket}` }).waitFor()
      await page.locator('.trace').waitFor()
      expect(await page.locator('.step-name').first().textContent()).toBe(hostile)
      expect(await page.locator('pre').last().textContent()).toContain(JSON.stringify(hostile))
      expect(await page.evaluate('[window.harmed ?? null, document.querySelectorAll("main img, main script").length]')).toEqual([null, 0])
      expect(await problems(page)).toEqual([])
      await goTo(page, `#/?category=${encodeURIComponent(hostile)}`)
      await page.locator('table.logs').waitFor()
      expect(await page.evaluate('[window.harmed ?? null, document.querySelectorAll("main img, main script").length]')).toEqual([null, 0])
      expect(await problems(page)).toEqual([])
    }
  })

  test('says that it loads, that something failed, and that there is nothing', async () => {
    const page = await openPage()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/api/v1/**', async (route) => {
      await held
      await route.continue()
    })
    await enter(page)
    await page.locator('main[aria-busy] .blocks').first().waitFor()
    expect(await page.getByRole('status').textContent()).toBe('Loading')
    expect(await problems(page)).toEqual([])
    release()
    await page.locator('table.logs').waitFor()
    expect(await page.getByRole('status').textContent()).toMatch(/^\d+ runs$/)

    await page.unroute('**/api/v1/**')
    await page.route('**/api/v1/logs**', (route) => route.abort())
    await page.getByRole('button', { name: 'Reload' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('alert').textContent()).toContain('The server does not answer.')
    expect(await problems(page)).toEqual([])
    await page.unroute('**/api/v1/logs**')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('alert').waitFor({ state: 'detached' })

    await page.route('**/api/v1/logs**', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<p>A proxy' }))
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('it sent no JSON')
    await page.unroute('**/api/v1/logs**')
    // what was typed and not sent goes with the filters
    await page.getByLabel('Ticket').fill('not sent')
    await page.getByRole('button', { name: 'Clear', exact: true }).click()
    await expect.poll(() => page.getByLabel('Ticket').inputValue()).toBe('')

    await goTo(page, '#/?since=nonsense')
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('since is an instant')
    await goTo(page, '#/?workflow=none')
    await page.getByText('No run is like that.').waitFor()
    expect(await problems(page)).toEqual([])
    await page.getByRole('button', { name: 'Clear the filters' }).click()
    await page.locator('table.logs').waitFor()
    await goTo(page, '#/tickets/NONE')
    await page.getByText('Nothing ran for this ticket.').waitFor()
    // not even a sequence that is no text
    await goTo(page, '#/tickets/%E0%A4%A')
    await page.getByRole('heading', { level: 1, name: 'Ticket %E0%A4%A' }).waitFor()
  })

  test.each(widths.flatMap((width) => themes.map((theme) => [width, theme] as const)))(
    'has nothing serious for axe, and no way sideways, at %i px in the %s theme',
    async (width, theme) => {
      const page = await openPage(width, theme)
      expect(await problems(page)).toEqual([])
      await enter(page)
      await page.locator('table.logs').waitFor()
      await page.locator('.period').first().waitFor()
      expect(await problems(page)).toEqual([])
      await picture(page, `overview-${width}-${theme}`)
      await page.locator('summary').click()
      expect(await problems(page)).toEqual([])
      await goTo(page, '#/?status=failure')
      await page.locator('.logs a').first().click()
      await page.locator('.trace').first().waitFor()
      expect(await problems(page)).toEqual([])
      await picture(page, `ticket-${width}-${theme}`)
    },
  )
})
