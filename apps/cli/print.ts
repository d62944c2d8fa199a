/** Prints a result as one line of JSON, for programs. */
export function printJson(result: unknown): void {
  print(JSON.stringify(result));
}

/** Prints lines for people. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Aligns the columns of a table. The first row has the headings and decides the number of columns. */
export function tableOf(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Aligns facts by their names, one line each. */
export function factLines(facts: Record<string, string | number>): string[] {
  return tableOf(Object.entries(facts).map(([name, value]) => [`  ${name}`, String(value)]));
}
