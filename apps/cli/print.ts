/**
 * The one line of a command's machine-readable end.
 *
 * @param result what the command found or did
 */
export function printJson(result: unknown): void {
  print(JSON.stringify(result));
}

/** @param lines for people */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * @param rows cells, the first row the headings
 * @returns the rows with their columns aligned
 */
export function tableOf(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * @param facts what is what
 * @returns a line each
 */
export function factLines(facts: Record<string, string | number>): string[] {
  return tableOf(Object.entries(facts).map(([name, value]) => [`  ${name}`, String(value)]));
}
