/** Prints a command's result as one line of JSON, for programs. */
export function printJson(result: unknown): void {
  print(JSON.stringify(result));
}

/** Prints lines of text, for people. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Formats a table as lines with aligned columns. The first row has the headings and decides the number of columns. */
export function tableOf(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Formats named facts as one line each, with the values aligned in a column. */
export function factLines(facts: Record<string, string | number>): string[] {
  return tableOf(Object.entries(facts).map(([name, value]) => [`  ${name}`, String(value)]));
}
