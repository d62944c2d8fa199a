import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Rules } from './model/rules.js';
import type { World } from './model/world.js';
import { ARGUMENTS, MOVES } from './moves.js';
import { checkAtRest, checkNothingWaits } from './promises.js';
import { comeToRest } from './rest.js';
import { prepare, SETUPS } from './setup.js';

/** A history: where it begins, and its moves. It says everything, so it can be repeated and shortened. */
export interface History {
  setup: number;
  moves: number[];
}

/** The end of a history, and the way to it. */
export interface Outcome {
  violations: string[];
  /** The moves that were possible, so that they had an effect. */
  steps: number[];
  /** The most processes that were in the middle of a task. */
  atOnce: number;
  /** The world at rest. */
  world: World;
}

const STEPS_MIN = 12;
const STEPS_MAX = 28;
/** A history without two processes at once continues for at most this many steps. */
const STEPS_LIMIT = 200;
const TRIES_MAX = 200;
/** Kinds of moves up to this weight may be left out. */
const RARE_MAX = 10;

/** Each move as often as its weight. */
const LOT = MOVES.flatMap(({ weight }, move) => Array<number>(weight).fill(move));

/** The same with the moves alone that bring work or begin it. */
const LOT_OF_WORK = LOT.filter(kind => MOVES[kind]?.bringsWork);

/** A bit for each kind of move without which a history still comes to something. */
const RARE = MOVES.reduce((bits, { weight, bringsWork }, kind) => {
  return bringsWork || weight > RARE_MAX ? bits : bits | (1 << kind);
}, 0);

/** Draws a random history and plays it. The same seed gives the same history. */
export function playRandom(rules: Rules, seed: number): Outcome & { history: History } {
  const random = mersenne(seed);
  const setup = uniformInt(random, 0, SETUPS - 1);
  const world = prepare(rules, setup);
  const length = uniformInt(random, STEPS_MIN, STEPS_MAX);
  // Each history leaves some kinds of moves out, and so goes further with the others.
  const leftOut = uniformInt(random, 0, 2 ** MOVES.length - 1);
  const moves: number[] = [];
  let atOnce = 0;
  while (moves.length < STEPS_LIMIT && (moves.length < length || atOnce < 2)) {
    const isLonely = atOnce < 2 && moves.length > length / 2;
    const move = isLonely ? drawMove(world, random, LOT_OF_WORK) : drawMove(world, random, LOT, { leftOut });
    if (move === undefined) break;
    moves.push(move);
    atOnce = Math.max(atOnce, busy(world));
    if (world.violations.length > 0) break;
  }
  return { history: { setup, moves }, ...finish(world, moves, atOnce) };
}

function drawMove(
  world: World,
  random: RandomGenerator,
  lot: readonly number[],
  { leftOut }: { leftOut: number } = { leftOut: 0 },
): number | undefined {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const kind = lot[uniformInt(random, 0, lot.length - 1)] ?? 0;
    const argument = uniformInt(random, 0, ARGUMENTS - 1);
    if (((leftOut & RARE) >> kind) % 2 === 1) continue;
    if (MOVES[kind]?.make(world, argument)) return kind * ARGUMENTS + argument;
  }
  return undefined;
}

/**
 * Plays a history again.
 *
 * @param tell receives each step in words
 */
export function replay(rules: Rules, { setup, moves }: History, tell?: (words: string) => void): Outcome {
  const world = prepare(rules, setup, tell);
  const steps: number[] = [];
  let atOnce = 0;
  for (const move of moves) {
    if (!MOVES[Math.floor(move / ARGUMENTS)]?.make(world, move % ARGUMENTS)) continue;
    steps.push(move);
    atOnce = Math.max(atOnce, busy(world));
    if (world.violations.length > 0) break;
  }
  return finish(world, steps, atOnce);
}

function finish(world: World, steps: number[], atOnce: number): Outcome {
  if (world.violations.length === 0) {
    comeToRest(world, checkNothingWaits);
    checkAtRest(world);
  }
  return { violations: world.violations, steps, atOnce, world };
}

function busy({ workers }: World): number {
  let count = 0;
  for (const worker of workers) if (worker) count += 1;
  return count;
}
