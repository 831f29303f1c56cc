import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest although others are larger: they begin first, so that the workers end together. Of each project, by their paths' ends. */
const longest = [
  'core/test/transfer/restore.test.ts',
  'core/test/transfer/schedule.test.ts',
  'core/test/transfer/import-long.test.ts',
  'core/test/transfer/export.test.ts',
  'core/test/transfer/import-round-trip.test.ts',
  'fastify/test/transfer-routes.test.ts',
  'fastify/test/openapi-answers.test.ts',
  'quickstart/test/docs.test.ts',
  'soak/test/requests.test.ts',
  'soak/test/counting.test.ts',
  'quickstart/test/quickstart.test.ts',
  'quickstart/test/load.test.ts',
  'soak/test/restores.test.ts',
  'openapi-check/test/lint.test.ts',
  'openapi-check/test/generated-clients.test.ts',
  'soak/test/kills.test.ts',
  'soak/test/full-disk.test.ts',
  'testkit/test/engines.test.ts',
]

/**
 * Projects whose files share a process come first and stay together, or each would start the process anew; then all other files. Longest
 * first, the same on a machine that has run them before and on one that has not.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.findIndex((ending) => moduleId.endsWith(ending))
      return place === -1 ? longest.length : place
    }
    const shares = (file: TestSpecification): string => (file.project.config.isolate ? '' : file.project.name)
    const projects = [...new Set(sorted.map(shares).filter((name) => name !== '')), '']
    return sorted.sort((a, b) => projects.indexOf(shares(a)) - projects.indexOf(shares(b)) || rank(a) - rank(b))
  }
}
