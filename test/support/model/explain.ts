import { inspect, isDeepStrictEqual } from 'node:util';
import type { Answer, Step } from './command.js';
import type { Picture, SaleModel } from './sale-model.js';

/** A command that was carried out at the same time as others. */
export interface Done {
  says: string;
  step: Step;
  answer: Answer;
}

/**
 * Commands that ran at once must have done what they would have done one after the other, in some order: that is what it
 * means that each is one step (linearizability).
 *
 * @param before the sale before them
 * @param done the commands, with what each was answered
 * @param after what Redis holds after them
 * @returns the sale after them, in an order in which the model gives every answer and ends as Redis did
 * @throws Error when there is no such order
 */
export function explain(before: SaleModel, done: Done[], after: Picture): SaleModel {
  /** From where it is known that no order leads on: commands that don't touch each other come to the same in any order. */
  const deadEnds = new Set<string>();
  const search = (model: SaleModel, left: Done[]): SaleModel | undefined => {
    if (left.length === 0) return isDeepStrictEqual(model.picture(), after) ? model : undefined;
    const place = () => inspect([left.map(one => done.indexOf(one)), model], { depth: null, sorted: true });
    if (deadEnds.size > 0 && deadEnds.has(place())) return undefined;
    for (const one of left) {
      const next = model.copy();
      if (!isDeepStrictEqual(one.step.expect(next, one.answer), one.answer.told)) continue;
      const found = search(
        next,
        left.filter(other => other !== one),
      );
      if (found) return found;
    }
    deadEnds.add(place());
    return undefined;
  };
  const found = search(before, done);
  if (found) return found;
  const told = done.map(({ says, answer }) => ({ says, told: answer.told }));
  const seen = { told, before: before.picture(), after };
  throw new Error(`in no order of these commands would each be told what it was: ${inspect(seen, { depth: null })}`);
}
