import type { Rules } from './model/rules.js';
import { ARGUMENTS } from './moves.js';
import { type History, replay } from './scheduler.js';

/**
 * Shortens a history that breaks a promise, until every move that is left is needed and has the lowest argument.
 *
 * @param history breaks a promise under these rules
 */
export function shrink(rules: Rules, history: History): History {
  let best = history;
  const take = (candidate: History): boolean => {
    const { violations, steps } = replay(rules, candidate);
    if (violations.length === 0) return false;
    best = { setup: candidate.setup, moves: steps };
    return true;
  };
  take(history);
  for (let before = ''; before !== JSON.stringify(best); ) {
    before = JSON.stringify(best);
    for (let size = Math.ceil(best.moves.length / 2); size >= 1; size = Math.floor(size / 2)) leaveOut(size);
    for (let index = 0; index < best.moves.length; index += 1) lower(index);
    for (let setup = 0; setup < best.setup; setup += 1) if (take({ setup, moves: best.moves })) break;
  }
  return best;

  /** Leaves out chunks of this size, as often as that helps. */
  function leaveOut(size: number): void {
    for (let start = 0; start < best.moves.length; ) {
      const moves = best.moves.toSpliced(start, size);
      if (!take({ setup: best.setup, moves })) start += size;
    }
  }

  /** Gives a move the lowest argument that will do. */
  function lower(index: number): void {
    const move = best.moves[index] as number;
    for (let lowest = move - (move % ARGUMENTS); lowest < move; lowest += 1) {
      if (take({ setup: best.setup, moves: best.moves.with(index, lowest) })) return;
    }
  }
}
