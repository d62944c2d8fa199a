import { describe, type Figures, nameOfRound } from '../measure/round.js';
import { type Crowds, latency, orders, paidOrders, polls, refusals, repeats, wins } from './questions.js';
import type { Round } from './ratio.js';
import type { Buyers, Side } from './side.js';

/** How many buyers come in each crowd. The worker drains the claims of the first two, 50,000 or 7,500. */
const FULL = { wins: 30_000, latency: 20_000, endToEnd: 30_000, tooLate: 20_000 };
const QUICK = { wins: 5_000, latency: 2_500, endToEnd: 5_000, tooLate: 20_000 };

/** The part of the first crowd that also buys in a sale with immediate settlement. */
const IMMEDIATE_SHARE = 2 / 3;

/** The two checkouts of a comparison. */
export type Sides = Record<keyof Round, Side>;

/** How much is measured. */
export interface Extent {
  rounds: number;
  quick: boolean;
  /** Receives two lines for each round. */
  tell(line: string): void;
}

/**
 * Measures two checkouts by turns, figure by figure. The order of the two changes with every round. A warm-up round comes
 * first and does not count.
 */
export async function measureRounds(sides: Sides, { rounds, quick, tell }: Extent): Promise<Round[]> {
  const crowds = crowdsOf(quick ? QUICK : FULL);
  const measured: Round[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    const order: (keyof Round)[] = number % 2 === 0 ? ['old', 'new'] : ['new', 'old'];
    const round = await measureRound({ sides, order, saleId: `round_${number}`, crowds });
    for (const name of order) tell(`${nameOfRound(number, rounds)}  ${name}  ${describe(round[name])}`);
    if (number > 0) measured.push(round);
  }
  return measured;
}

/** Gives each crowd its own buyers, one crowd after the other. */
function crowdsOf(counts: Record<keyof Crowds, number>): Crowds {
  let first = 0;
  const take = (count: number): Buyers => {
    const buyers = { first, count };
    first += count;
    return buyers;
  };
  return {
    wins: take(counts.wins),
    latency: take(counts.latency),
    endToEnd: take(counts.endToEnd),
    tooLate: take(counts.tooLate),
  };
}

interface Story {
  sides: Sides;
  order: (keyof Round)[];
  saleId: string;
  crowds: Crowds;
}

/**
 * Takes both sides through two sales. In the first one buyers win, a worker places their orders, all is sold, and buyers ask
 * again. In the second one every order is paid as it is placed.
 */
async function measureRound({ sides, order, saleId, crowds }: Story): Promise<Round> {
  const round: Round = { old: {}, new: {} };
  const byTurns = async (ask: (side: Side) => Promise<Figures>) => {
    for (const name of order) Object.assign(round[name], await ask(sides[name]));
  };
  // Every unit is bought, so that the last crowd finds nothing.
  const units = crowds.tooLate.first;
  await Promise.all(order.map(name => sides[name].openSale(saleId, { units, settlement: 'deferred' })));
  await byTurns(side => wins(side, saleId, crowds.wins));
  const perSecond = Math.min(...order.map(name => round[name].winsPerSecond ?? Number.NaN)) / 2;
  await byTurns(side => latency(side, saleId, { ...crowds.latency, perSecond }));
  await byTurns(side => orders(side, saleId, crowds));
  await byTurns(side => refusals(side, saleId, crowds.tooLate));
  await byTurns(side => repeats(side, saleId, crowds.wins));
  await byTurns(side => polls(side, saleId, crowds.wins));
  const paying = { first: 0, count: Math.floor(crowds.wins.count * IMMEDIATE_SHARE) };
  const paidSale = `${saleId}_paid`;
  const form = { units: paying.count, settlement: 'immediate' } as const;
  await Promise.all(order.map(name => sides[name].openSale(paidSale, form)));
  await byTurns(side => paidOrders(side, paidSale, paying));
  return round;
}
