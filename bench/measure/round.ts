/** The figures of one measurement, by name. */
export type Figures = Record<string, number>;

/** One side of a comparison, ready for any number of measurements. */
export interface Contestant {
  name: string;
  /** Measures once. Every measurement starts from the same state. */
  measure(): Promise<Figures>;
  close?(): Promise<unknown>;
}

/** One figure of every round. */
export interface Series {
  values: number[];
  median: number;
  min: number;
  max: number;
}

/** How often contestants are measured. */
export interface Rounds {
  rounds: number;
  /** Whether a round that does not count comes first. V8 compiles a function only after some calls. */
  warmUp: boolean;
  /** Receives one line for each measurement. */
  tell(line: string): void;
}

/**
 * Measures contestants side by side. Each round starts with the next contestant, so that none always follows the same one.
 * A disturbance of the machine then disturbs all of them.
 *
 * @returns every figure of every round, by `contestant.figure`
 */
export async function compete(
  contestants: Contestant[],
  { rounds, warmUp, tell }: Rounds,
): Promise<Record<string, number[]>> {
  const results: Record<string, number[]> = {};
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (let i = 0; i < contestants.length; i += 1) {
      const contestant = contestants[(round + i) % contestants.length] as Contestant;
      const figures = await contestant.measure();
      tell(`${nameOfRound(round, rounds)}  ${contestant.name.padEnd(16)} ${describe(figures)}`);
      if (round === 0) continue;
      for (const [figure, value] of Object.entries(figures)) {
        const key = `${contestant.name}.${figure}`;
        results[key] = [...(results[key] ?? []), value];
      }
    }
  }
  return results;
}

/** Names a round for the progress lines; round 0 is the warm-up. */
export function nameOfRound(round: number, rounds: number): string {
  return round === 0 ? 'warm-up  ' : `round ${round}/${rounds}`;
}

/** Writes figures in one line. */
export function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)}`)
    .join('  ');
}

/** Returns the median and the spread of one figure. */
export function seriesOf(values: number[]): Series {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { values, median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Divides two figures round by round. A slow moment that both of them met cancels out. */
export function ratioOf(over: number[] = [], under: number[] = []): Series {
  const rounds = Math.min(over.length, under.length);
  return seriesOf(Array.from({ length: rounds }, (_, i) => (over[i] as number) / (under[i] as number)));
}
