import { readFile } from 'node:fs/promises'
import {
  auditEntrySchema,
  auditFaultKinds,
  auditParameters,
  auditProofSchema,
  auditVerdictSchema,
  backupSchema,
  bulkParameters,
  checkpointFindings,
  checkpointSchema,
  diagramParameters,
  errorCatalogue,
  exportParameters,
  importParameters,
  importReportSchema,
  jobSchema,
  listOperators,
  listParameters,
  operatorRoutes,
  proofParameters,
  recordRoutes,
  restoreParameters,
  restoreReportSchema,
  revertParameters,
  revertQuestionSchema,
  revertReportSchema,
  statusSchema,
  systemRoutes,
  undoRestoreParameters,
  verifyParameters,
} from '@strongroom/contract'
import { expect, test } from 'vitest'

const page = (name: string) => readFile(new URL(`../../../docs/reference/${name}.md`, import.meta.url), 'utf8')

test('the page of errors has every code with its status and title, and no other', async () => {
  const rows = [...(await page('errors')).matchAll(/^\| `(\w+)` +\| (\d+) +\| (.*?) +\| (.+?) +\|$/gm)].map(([, code, status, title]) => [
    code,
    Number(status),
    title,
  ])
  expect(rows).toEqual(Object.entries(errorCatalogue).map(([code, { status, title }]) => [code, status, title]))
})

test('the page of the HTTP API has every route of records and of the server, and every parameter of a list', async () => {
  const text = await page('http-api')
  for (const { method, path } of recordRoutes) expect(text).toMatch(new RegExp(`^\\| \`${method} /users${path}(\\?[^\`]*)?\``, 'm'))
  for (const { method, path } of systemRoutes) expect(text).toContain(`| \`${method} ${path}\``)
  for (const operator of listOperators) expect(text).toContain(`field[${operator}]`)
  for (const parameter of bulkParameters) expect(text, parameter).toMatch(new RegExp(`\\b${parameter}\\b`))
  for (const parameter of listParameters) expect(text, parameter).toMatch(new RegExp(`^\\|.*\`${parameter}(=[^\`]*)?\``, 'm'))
})

test('the page of the operators has every route, parameter and member', async () => {
  const text = await page('operators')
  for (const { method, path } of operatorRoutes) expect(text).toContain(`## ${method} /db${path}`)
  const parameters = [
    auditParameters,
    verifyParameters,
    proofParameters,
    diagramParameters,
    exportParameters,
    importParameters,
    restoreParameters,
    revertParameters,
    undoRestoreParameters,
  ].flat()
  for (const { name } of parameters) expect(text).toContain(`\`${name}\``)
  for (const kind of [...auditFaultKinds, ...checkpointFindings]) expect(text).toContain(`\`${kind}\``)
  for (const schema of [
    auditEntrySchema,
    auditVerdictSchema,
    checkpointSchema,
    auditProofSchema,
    backupSchema,
    importReportSchema,
    jobSchema,
    restoreReportSchema,
    revertQuestionSchema,
    revertReportSchema,
    statusSchema,
  ]) {
    for (const member of Object.keys((schema as { properties: object }).properties)) expect(text).toContain(`\`${member}\``)
  }
})
