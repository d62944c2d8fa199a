import type { Candidate } from '../choose.js';
import type { NearestTests } from '../nearest/nearest.js';
import type { Reach } from '../nearest/reach.js';
import { formatPiece } from '../piece.js';
import type { Results, Tried } from '../results/results.js';
import { type Outcome, type Trial, Trials } from './trial.js';
import { startWorkshop, type Workshop } from './workshop.js';

/** The sources, the tests and the results that a run works with. */
export interface RunGround {
  texts: ReadonlyMap<string, string>;
  nearest: NearestTests;
  reach: Reach;
  results: Results;
  /** Receives a line for each mutant. */
  tell(line: string): void;
}

/** The state of each mutant, and the tests that failed without one. */
export interface RunResult {
  states: Map<Candidate, Outcome['state']>;
  red: ReadonlyMap<string, string>;
}

/** Adds to a mutant what its result depends on. */
export const triedOf = (
  { mutant }: Candidate,
  { texts, nearest }: Pick<RunGround, 'texts' | 'nearest'>,
): Tried & Trial => ({
  mutant,
  text: texts.get(mutant.file) ?? '',
  ...nearest.of(mutant.file, mutant.start),
});

/**
 * Tries mutants, several at a time. Known results are not tried again.
 *
 * @param at how many at a time
 */
export async function runMutants(candidates: readonly Candidate[], ground: RunGround, at: number): Promise<RunResult> {
  const { reach, results, tell } = ground;
  const states: RunResult['states'] = new Map();
  const open: Candidate[] = [];
  for (const candidate of candidates) {
    const known = results.find(triedOf(candidate, ground));
    if (known) states.set(candidate, known);
    else open.push(candidate);
  }
  tell(`${candidates.length} mutants, ${candidates.length - open.length} of them known from earlier runs`);
  const trials = new Trials(test => reach.get(test)?.ms);
  const queue = open.entries();
  const work = async (workshop: Workshop): Promise<void> => {
    for (const [index, candidate] of queue) {
      const startedAt = performance.now();
      const tried = triedOf(candidate, ground);
      const outcome = await trials.try(workshop, tried);
      await results.add(tried, outcome);
      states.set(candidate, outcome.state);
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      const why = outcome.said === undefined ? '' : `: ${outcome.said}`;
      tell(`${index + 1}/${open.length} ${outcome.state} ${seconds} s  ${formatPiece(candidate.piece)}${why}`);
    }
  };
  await inWorkshops(Math.min(at, open.length), work);
  return { states, red: trials.red };
}

/** Starts some workshops, works in all of them at once, and closes them, also after an error. */
export async function inWorkshops(count: number, work: (workshop: Workshop) => Promise<void>): Promise<void> {
  const workshops: Workshop[] = [];
  try {
    for (let index = 0; index < count; index += 1) workshops.push(await startWorkshop());
    await Promise.all(workshops.map(work));
  } finally {
    await Promise.all(workshops.map(workshop => workshop.close()));
  }
}
