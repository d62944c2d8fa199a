import fc from 'fast-check';
import type { Redis } from '#core/redis/connection.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import type { SaleModel } from './sale-model.js';

/** Few, so that they meet. */
export const BUYERS = Array.from({ length: 8 }, (_, i) => `buyer${i + 1}`);

/** @returns the keys of what the rules about purchases remember of a buyer */
export const purchaseKeysOf = (buyerId: string): [lock: string, pause: string] => [
  `dropline:purchase:{${buyerId}}`,
  `dropline:interval:{${buyerId}}`,
];

/** Which claim of which buyer. */
export type Won = Pick<Claim, 'buyerId' | 'claimId'> & { unit: number };

/** One sale in both worlds. */
export interface Run {
  sale: Sale;
  /** Of Redis: what the gate is open for. */
  runId: string;
  model: SaleModel;
  /** Every claim that there ever was, so that the ones that ended are tried again. */
  won: Won[];
  /** Numbers what wants a name of its own. */
  next: number;
}

/** What Redis answered, in words that the model can say, too. */
export interface Answer {
  told: unknown[];
  /** The claims that were made. */
  won?: Won[];
}

/** A command with all that is needed to carry it out, in Redis and in the model. */
export interface Step {
  ask(redis: Redis): Promise<Answer>;
  /** @returns what should be told; the ids of claims that a script was to name are those of the answer */
  expect(model: SaleModel, answer: Answer): unknown[];
}

/** What is to be done: what becomes of it depends on what was done before. */
export interface Command {
  /** Its name and what it was made of, so that a counterexample can be read. */
  says: string;
  /** @returns undefined when there is nothing to do it to */
  prepare(run: Run): Step | undefined;
}

/** A command that the gate doesn't stop. */
export const unfenced =
  <T>(name: string, prepare: (run: Run, given: T) => Step | undefined) =>
  (given: T): Command & fc.WithToStringMethod => {
    const says = `${name} ${JSON.stringify(given)}`;
    return { says, prepare: run => prepare(run, given), [fc.toStringMethod]: () => says };
  };

/** What every fenced script says while the gate is closed. */
export const UNVERIFIED = ['refused unverified'];

/** A command that changes nothing, and says so, while the gate is closed. */
export const fenced = <T>(name: string, prepare: (run: Run, given: T) => Step | undefined) =>
  unfenced<T>(name, (run, given) => {
    const step = prepare(run, given);
    if (!step) return undefined;
    const ask: Step['ask'] = redis =>
      step.ask(redis).catch(error => {
        if (error instanceof NotVerified) return { told: UNVERIFIED };
        throw error;
      });
    return { ask, expect: (model, answer) => (model.gate === '' ? step.expect(model, answer) : UNVERIFIED) };
  });

export const buyer = fc.constantFrom(...BUYERS);
/** Which of the claims that there ever were, as a part of their number: mostly the late ones, which are live. */
export const pick = fc.double({ min: 0, max: 1, noNaN: true }).map(part => 1 - part * part);
export const picks = fc.array(pick, { minLength: 1, maxLength: 4 });

export function picked({ won }: Run, parts: number[]): Won[] {
  return parts.flatMap(part => won[Math.min(won.length - 1, Math.floor(part * won.length))] ?? []);
}

export function named(run: Run, name: string): string {
  run.next += 1;
  return `${name}${run.next}`;
}
