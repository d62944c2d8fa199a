import { pauseUntil } from '#stack/processes/pause.js';
import type { Fault } from '../../support/stores/fault-proxy.js';
import type { Random } from '../workload/random.js';
import type { Link } from './links.js';

/** Every way to break a link. */
export const FAULTS: readonly Fault[] = [
  { kind: 'latency', ms: 400 },
  { kind: 'reset' },
  { kind: 'half-open' },
  { kind: 'drop-reply' },
  { kind: 'stall' },
  { kind: 'slices' },
  { kind: 'cut' },
];

/** How long a link is broken, in ms: some of it longer than a call may take, none longer than a worker's deadlines. */
const BROKEN_MS = [200, 4_000] as const;

/** A link that was half open is whole when the connections that swallowed something are given up: looked for this often, in ms. */
const LOOK_EVERY_MS = 200;

/** Breaks links, one at a time. */
export interface LinkBreaker {
  /** Whether one is broken, or has connections that still suffer from it. */
  isBroken(): boolean;
  /**
   * @param sparesWorkers whether those of the workers are to stay whole
   * @returns what was broken, in words, and its end
   */
  breakOne(sparesWorkers: boolean): { text: string; whole: Promise<void> };
}

/**
 * @param links what may be broken
 * @param random chooses which, how and for how long
 * @param signal mends what is broken at once
 * @returns breaks them
 */
export function linkBreaker(links: readonly Link[], random: Random, signal: AbortSignal): LinkBreaker {
  let broken = false;
  // Dealt out shuffled, as the kills are.
  let deck: Fault[] = [];
  const breakFor = async ({ proxy }: Link, fault: Fault, forMs: number) => {
    broken = true;
    proxy.set(fault);
    await pauseUntil(forMs, signal);
    proxy.set({ kind: 'none' });
    while (proxy.silent() > 0 && !signal.aborted) await pauseUntil(LOOK_EVERY_MS, signal);
    broken = false;
  };
  return {
    isBroken: () => broken,
    breakOne(sparesWorkers) {
      if (deck.length === 0) deck = random.shuffle(FAULTS);
      const fault = deck.pop() as Fault;
      const link = random.pick(links.filter(({ name }) => !sparesWorkers || !name.startsWith('worker-')));
      const forMs = random.between(...BROKEN_MS);
      const which = links.filter(({ name }) => name === link.name).indexOf(link) + 1;
      return { text: `${fault.kind} of ${link.name} ${which} for ${forMs} ms`, whole: breakFor(link, fault, forMs) };
    },
  };
}
