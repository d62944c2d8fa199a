import { inspect, isDeepStrictEqual } from 'node:util';
import type { Answer, Step } from './command.js';
import type { SaleModel } from './sale-model.js';
import type { Picture } from './terms.js';

/** A command that ran at the same time as others. */
export interface Done {
  says: string;
  step: Step;
  answer: Answer;
}

/**
 * Explains commands that ran at once by a sequence of them (linearizability): in some order the model gives every answer
 * and ends as Redis did.
 *
 * @param before the model before the commands
 * @param after the sale in Redis after the commands
 * @returns the model after the commands, in that order
 * @throws Error when no order explains the answers
 */
export function explain(before: SaleModel, done: Done[], after: Picture): SaleModel {
  /** Visited models without a solution. Independent commands lead to the same model in any order. */
  const deadEnds = new Set<string>();
  const search = (model: SaleModel, left: Done[]): SaleModel | undefined => {
    if (left.length === 0) return isDeepStrictEqual(model.picture(), after) ? model : undefined;
    const keyOf = () => inspect([left.map(one => done.indexOf(one)), model], { depth: null, sorted: true });
    if (deadEnds.size > 0 && deadEnds.has(keyOf())) return undefined;
    for (const one of left) {
      const next = model.copy();
      if (!isDeepStrictEqual(one.step.expect(next, one.answer), one.answer.outcomes)) continue;
      const found = search(
        next,
        left.filter(other => other !== one),
      );
      if (found) return found;
    }
    deadEnds.add(keyOf());
    return undefined;
  };
  const found = search(before, done);
  if (found) return found;
  const commands = done.map(({ says, answer }) => ({ says, outcomes: answer.outcomes }));
  const seen = { commands, before: before.picture(), after };
  throw new Error(`no order of these commands gives these outcomes: ${inspect(seen, { depth: null })}`);
}
