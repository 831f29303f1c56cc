import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'
import { type EngineTest, engineTest, parityFaults, parityLine } from './engine-parity.ts'

interface Totals {
  passed: number
  failed: number
  skipped: number
}

/**
 * A vitest reporter for suites that run on several engines. It prints how many tests each engine ran, fails the run when the
 * engines' tests differ without a named reason or when one of them was skipped, and ends the output with one plain line:
 * `N passed, N failed`, with `, N skipped` where there are any. List it last.
 */
export default class EngineReporter implements Reporter {
  #filtered = false
  #watching = false
  #lastLine: string | undefined

  onInit(vitest: Vitest): void {
    this.#watching = vitest.config.watch
    // whoever runs a few tests by name sees all others as skipped, and does not want to hear of it
    this.#filtered = vitest.config.testNamePattern !== undefined
    process.once('exit', () => {
      if (this.#lastLine !== undefined) process.stdout.write(`${this.#lastLine}\n`)
    })
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => ({ module, test })))
    const totals = count(tests.map(({ test }) => test))
    // a file that cannot be loaded, a hook of a suite or an error that nobody caught fails the run without failing any test
    totals.failed += unhandled.length + modules.reduce((sum, module) => sum + errorsOutsideTests(module), 0)
    const onEngines = tests
      .map(({ module, test }) => engineTest(module.relativeModuleId, titles(test), test.result().state === 'skipped'))
      .filter((found) => found !== undefined)
    totals.failed += this.#reportParity(onEngines)
    this.#reportTotals(totals)
  }

  #reportParity(tests: readonly EngineTest[]): number {
    if (tests.length === 0) return 0
    process.stdout.write(`\n${parityLine(tests)}\n`)
    if (this.#filtered) return 0
    const faults = parityFaults(tests)
    for (const fault of faults) process.stdout.write(`  ✗ ${fault}\n`)
    if (faults.length > 0) process.exitCode = 1
    return faults.length
  }

  #reportTotals({ passed, failed, skipped }: Totals): void {
    const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
    // other reporters and the coverage table have their say after this; in a single run the line waits for the very end
    if (this.#watching) process.stdout.write(`${line}\n`)
    else this.#lastLine = line
  }
}

function count(tests: readonly TestCase[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
  for (const test of tests) {
    const { state } = test.result()
    // a test that never got its turn did not pass
    totals[state === 'pending' ? 'failed' : state]++
  }
  return totals
}

function errorsOutsideTests(module: TestModule): number {
  const suites = [...module.children.allSuites()]
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0)
}

function titles(test: TestCase): string[] {
  const found = [test.name]
  for (let parent: TestSuite | TestModule = test.parent; parent.type === 'suite'; parent = parent.parent) found.unshift(parent.name)
  return found
}
