import { defineConfig } from 'vitest/config'
import { project, settings } from '../vitest.workspace.ts'

// Tests with programs that npm does not bring; .ci/run installs them. Apart from the others: choosing projects by name spoils the coverage's paths.
export default defineConfig({
  test: {
    ...settings,
    projects: [
      project({ name: 'tools', root: '.', include: ['{packages,examples}/*/test/tools/**/*.test.ts'], exclude: [], postgres: true }),
    ],
  },
})
