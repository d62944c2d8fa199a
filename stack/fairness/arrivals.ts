import type { OpeningKind } from '#core/rules/sale.js';
import type { BuyerPlan } from '../crowd/buyer.js';

/** The buyers who come to a sale: people, and the accounts of one script. */
export interface Visitors {
  people: number;
  accounts: number;
}

/** The times of a sale, in ms since the epoch. */
export interface Times {
  joinsAtMs: number;
  opensAtMs: number;
}

/** The script begins before the clock of the sale says that it may, as its own clock may be late, in ms. */
const EARLY_MS = 20;
/** The time between two clicks of an account, in ms. */
const EVERY_MS = 15;
/** The reaction of a person to the opening of a rush, in ms. */
const REACTION_MS = { from: 250, to: 2_250 };
/** People know when they can join, and come within this part of the time. */
const JOINING_PART = 0.75;

const PERSON = 'person-';
const ACCOUNT = 'account-';

/** Tells whether a buyer of a simulation is a person. */
export const isPerson = (buyerId: string): boolean => buyerId.startsWith(PERSON);

/**
 * Plans who comes to a sale, and when. The accounts of the script ask as soon as anybody may, every {@link EVERY_MS} ms. People react
 * to a rush after {@link REACTION_MS}, and join a line at any time before the opening.
 *
 * @param seed fixes the times at which people come
 */
export function planVisitors(
  { people, accounts }: Visitors,
  { opening, times, seed }: { opening: OpeningKind; times: Times; seed: number },
): BuyerPlan[] {
  const random = randomFrom(seed);
  const { joinsAtMs, opensAtMs } = times;
  const [firstMs, spreadMs] =
    opening === 'rush'
      ? [opensAtMs + REACTION_MS.from, REACTION_MS.to - REACTION_MS.from]
      : [joinsAtMs, (opensAtMs - joinsAtMs) * JOINING_PART];
  const startsAtMs = (opening === 'rush' ? opensAtMs : joinsAtMs) - EARLY_MS;
  const buyer = { clicks: 1, withUnit: 'pay' } as const;
  return [
    ...Array.from({ length: accounts }, (_, i) => ({
      ...buyer,
      buyerId: `${ACCOUNT}${i + 1}`,
      arrivesAtMs: startsAtMs,
      clicksEveryMs: EVERY_MS,
    })),
    ...Array.from({ length: people }, (_, i) => ({
      ...buyer,
      buyerId: `${PERSON}${i + 1}`,
      arrivesAtMs: firstMs + random() * spreadMs,
    })),
  ];
}

/** Returns a source of numbers from 0 to 1 (mulberry32). Equal seeds give equal numbers. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
