import { printable } from './printable.ts'

/**
 * Lines of columns under their titles, each as wide as its widest cell.
 *
 * @param width columns of the terminal; longer lines are cut there
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string {
  const cells = [titles, ...rows.map((row) => row.map((cell) => printable(cell)))]
  const widths = titles.map((_title, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string => {
    const text = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ')
    return text.length > width ? `${text.slice(0, Math.max(1, width - 1))}…` : text.trimEnd()
  }
  return `${cells.map(line).join('\n')}\n`
}
