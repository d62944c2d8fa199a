import { Random } from '../../chaos/workload/random.js';
import { breakUp } from './broken.js';
import type { Door, Ground } from './ground.js';
import { oddRequest } from './request.js';

/** Bytes for one connection, and what may be expected of the answer. */
export interface Input {
  door: Door;
  /** The bytes, one character each (Latin-1). */
  text: string;
  /** Whether the text is one whole HTTP request. Then there must be an answer; otherwise the server may just hang up. */
  isWhole: boolean;
  /** Whether the request asks for the head of the answer only. */
  isHead: boolean;
  /** The first part is sent alone, a moment before the rest, if it has fewer characters than the text. */
  firstChars: number;
  /** Whether the client keeps the connection open without a word, so that the server has to end it. */
  isLeftOpen: boolean;
}

/** Of ten inputs, how many go to each door. */
const SHARES: readonly Door[] = ['nginx', 'nginx', 'nginx', 'nginx', 'api', 'api', 'api', 'admin', 'admin', 'admin'];

const BROKEN_SHARE = 0.4;
const SPLIT_SHARE = 0.1;
/** Each one costs up to the server's longest limit for a request, 10 s. */
const LEFT_OPEN_SHARE = 0.004;

/** Keeps the inputs of neighbouring seeds apart. */
const SEED_STEP = 1_000_003;

/**
 * Makes the input with this number. It depends on the seed and the number only, so every input can be made again.
 *
 * @param ground what the inputs may name: routes, sales, tokens
 */
export function inputAt(seed: number, number: number, ground: Ground): Input {
  const random = new Random(Math.imul(seed, SEED_STEP) + number);
  const door = random.pick(SHARES);
  const request = oddRequest(random, door, ground);
  const isBroken = random.chance(BROKEN_SHARE);
  const text = isBroken ? breakUp(random, request.text, () => oddRequest(random, door, ground).text) : request.text;
  return {
    door,
    text,
    isWhole: !isBroken && request.isWhole,
    isHead: request.isHead,
    firstChars: random.chance(SPLIT_SHARE) ? random.between(1, text.length + 1) : text.length,
    isLeftOpen: isBroken && random.chance(LEFT_OPEN_SHARE),
  };
}
