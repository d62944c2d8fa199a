/** What one measurement gave: figures by their name. */
export type Figures = Record<string, number>;

/** One side of a comparison, ready to be measured again and again. */
export interface Contestant {
  name: string;
  /** Measures once, with everything as it was before. */
  measure(): Promise<Figures>;
  close?(): Promise<unknown>;
}

/** The same figure of every round. */
export interface Series {
  values: number[];
  median: number;
  min: number;
  max: number;
}

/**
 * Measures contestants side by side: all of them in every round, each round in the order that begins one further, so that none
 * always comes after the same one. What disturbs the machine for a while then disturbs everybody.
 *
 * @param contestants who is measured
 * @param rounds how often
 * @param warmUps rounds before them that don't count: a JavaScript function is compiled when it has run for a while
 * @param tell told of each measurement
 * @returns every figure of every round, by `contestant.figure`
 */
export async function compete(
  contestants: Contestant[],
  rounds: number,
  warmUps: 0 | 1,
  tell: (line: string) => void,
): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = {};
  for (let round = warmUps > 0 ? 0 : 1; round <= rounds; round += 1) {
    for (let i = 0; i < contestants.length; i += 1) {
      const contestant = contestants[(round + i) % contestants.length] as Contestant;
      const figures = await contestant.measure();
      tell(`${nameOf(round, rounds)}  ${contestant.name.padEnd(16)} ${describe(figures)}`);
      if (round === 0) continue;
      for (const [figure, value] of Object.entries(figures)) {
        const key = `${contestant.name}.${figure}`;
        results[key] = [...(results[key] ?? []), value];
      }
    }
  }
  return results;
}

function nameOf(round: number, rounds: number): string {
  return round === 0 ? 'warm-up  ' : `round ${round}/${rounds}`;
}

/** @returns the figures in one line */
export function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)}`)
    .join('  ');
}

/** @returns the median and the spread of the same figure of every round */
export function seriesOf(values: number[]): Series {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { values, median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** @returns the ratio of two figures, round by round: what slowed both down cancels out */
export function ratioOf(over: number[] = [], under: number[] = []): Series {
  const rounds = Math.min(over.length, under.length);
  return seriesOf(Array.from({ length: rounds }, (_, i) => (over[i] as number) / (under[i] as number)));
}
