import { pauseUntil } from '#stack/processes/pause.js';
import type { Fault } from '../../support/stores/fault-proxy.js';
import type { Link } from '../rig/links.js';
import type { Random } from '../workload/random.js';

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

/** The time that a link is broken, in ms: sometimes longer than a call may take, never longer than a worker's deadlines. */
const BROKEN_MS = [200, 4_000] as const;

/** A half-open link is whole again when the connections that swallowed something are closed. This often that is checked, in ms. */
const LOOK_EVERY_MS = 200;

/** Breaks links, one at a time. */
export interface LinkBreaker {
  /** Tells whether a link is broken, or has connections that still suffer from it. */
  isBroken(): boolean;
  /**
   * Breaks a link for some time.
   *
   * @param links the links to choose from
   * @returns the fault, in words, and the end of it
   */
  breakOne(links: readonly Link[]): { text: string; whole: Promise<void> };
}

/**
 * Creates a breaker of links.
 *
 * @param all every link, by which a link gets its number
 * @param random chooses the link, the fault and its duration
 * @param signal mends the broken link at once
 */
export function createLinkBreaker(all: readonly Link[], random: Random, signal: AbortSignal): LinkBreaker {
  let broken = false;
  // The faults are dealt out shuffled, as the kills are.
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
    breakOne(links) {
      if (deck.length === 0) deck = random.shuffle(FAULTS);
      const fault = deck.pop() as Fault;
      const link = random.pick(links);
      const forMs = random.between(...BROKEN_MS);
      const number = all.filter(({ name }) => name === link.name).indexOf(link) + 1;
      return { text: `${fault.kind} of ${link.name} ${number} for ${forMs} ms`, whole: breakFor(link, fault, forMs) };
    },
  };
}
