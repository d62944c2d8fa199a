const SIGNIFICANT_DIGITS = 3;

/** Rounds a figure to three digits, or to a whole number from 100 on. */
export function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

/** Writes a rounded figure for a reader. */
export function shown(value: number): string {
  return rounded(value).toLocaleString('en');
}
