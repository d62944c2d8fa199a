import fc from 'fast-check';
import type { Redis } from '#core/redis/connection.js';
import type { Claim } from '#core/rules/claim.js';
import { NotVerified } from '#core/rules/errors.js';
import type { Sale } from '#core/rules/sale.js';
import type { SaleModel } from './sale-model.js';

/** The buyers. There are few, so that their commands meet. */
export const BUYERS = Array.from({ length: 8 }, (_, i) => `buyer${i + 1}`);

/** Returns the keys that the rules about purchases keep of a buyer. */
export const purchaseKeysOf = (buyerId: string): [lock: string, pause: string] => [
  `dropline:purchase:{${buyerId}}`,
  `dropline:interval:{${buyerId}}`,
];

/** A won claim. */
export type Won = Pick<Claim, 'buyerId' | 'claimId'> & { unit: number };

/** One sale, in Redis and in the model. */
export interface Run {
  sale: Sale;
  /** The run of Redis for which the gate is open. */
  runId: string;
  model: SaleModel;
  /** Every claim so far, so that commands also meet claims that have ended. */
  won: Won[];
  /** The number of the next name. */
  next: number;
}

/** The answer of Redis, in words that the model uses as well. */
export interface Answer {
  outcomes: unknown[];
  /** The claims that the command made. */
  won?: Won[];
}

/** A prepared command. */
export interface Step {
  /** Carries the command out in Redis. */
  ask(redis: Redis): Promise<Answer>;
  /** Carries the command out in the model and returns the outcomes. Ids that a script chose come from the answer. */
  expect(model: SaleModel, answer: Answer): unknown[];
}

/** A command, whose effect depends on earlier commands. */
export interface Command {
  /** Name and arguments, for a readable counterexample. */
  says: string;
  /** Returns undefined when the sale has nothing for the command to act on. */
  prepare(run: Run): Step | undefined;
}

/** Creates commands that the gate doesn't stop. */
export const unfenced =
  <T>(name: string, prepare: (run: Run, given: T) => Step | undefined) =>
  (given: T): Command & fc.WithToStringMethod => {
    const says = `${name} ${JSON.stringify(given)}`;
    return { says, prepare: run => prepare(run, given), [fc.toStringMethod]: () => says };
  };

/** The outcome of every fenced script while the gate is closed. */
export const UNVERIFIED = ['refused unverified'];

/** Creates commands that change nothing, and say so, while the gate is closed. */
export const fenced = <T>(name: string, prepare: (run: Run, given: T) => Step | undefined) =>
  unfenced<T>(name, (run, given) => {
    const step = prepare(run, given);
    if (!step) return undefined;
    const ask: Step['ask'] = redis =>
      step.ask(redis).catch(error => {
        if (error instanceof NotVerified) return { outcomes: UNVERIFIED };
        throw error;
      });
    return { ask, expect: (model, answer) => (model.gate === '' ? step.expect(model, answer) : UNVERIFIED) };
  });

/** Chooses a buyer. */
export const buyer = fc.constantFrom(...BUYERS);

/** Chooses one of the claims so far, as a part of their number: mostly a late one, which is live. */
export const pick = fc.double({ min: 0, max: 1, noNaN: true }).map(part => 1 - part * part);

/** Chooses one to four of the claims so far. */
export const picks = fc.array(pick, { minLength: 1, maxLength: 4 });

/** Returns the chosen claims. */
export function picked({ won }: Run, parts: number[]): Won[] {
  return parts.flatMap(part => won[Math.min(won.length - 1, Math.floor(part * won.length))] ?? []);
}

/** Returns a name that no earlier command of the run has used. */
export function named(run: Run, name: string): string {
  run.next += 1;
  return `${name}${run.next}`;
}
