import { describe, expect, test } from '@jest/globals';
import { FAULTS, rulesWith } from '../../simulation/faults.js';
import { RULES, type Rules } from '../../simulation/model/rules.js';
import { playRandom, replay } from '../../simulation/scheduler.js';
import { shrink } from '../../simulation/shrink.js';

/** The histories that are played without a fault, and the most that a fault may need. */
const HISTORIES = 3_000;
/** A person follows this many moves. */
const MOVES_MAX = 14;

function findBroken(rules: Rules, first = 0) {
  for (let seed = first; seed < first + HISTORIES; seed += 1) {
    const { violations, history } = playRandom(rules, seed);
    if (violations.length > 0) return history;
  }
  return undefined;
}

describe('the simulation of the money', () => {
  test('the rules keep every promise', () => {
    const broken = findBroken(RULES);
    const told: string[] = [];
    if (broken) replay(RULES, shrink(RULES, broken), line => told.push(line));
    expect(told).toEqual([]);
  });

  test('a history has two processes at once, and the same moves lead to the same end', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const { history, steps, atOnce, world } = playRandom(RULES, seed);
      expect(atOnce).toBeGreaterThanOrEqual(2);
      const again = replay(RULES, history);
      expect(again.steps).toEqual(steps);
      expect(again.world).toEqual(world);
      expect(playRandom(RULES, seed).world).toEqual(world);
    }
  });

  test.each(FAULTS)('it finds: $fault', fault => {
    const rules = rulesWith(fault);
    const broken = findBroken(rules, fault.seed);
    expect(broken).toBeDefined();
    const shortest = shrink(rules, broken ?? { setup: 0, moves: [] });
    expect(replay(rules, shortest).violations).not.toEqual([]);
    expect(replay(RULES, shortest).violations).toEqual([]);
    expect(shortest.moves.length).toBeLessThanOrEqual(MOVES_MAX);
  });
});
