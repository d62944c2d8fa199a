import { z } from 'zod';
import { boundedText } from '../../http/bounded-text.js';
import { SECOND_MS } from '../../rules/clock.js';

// A beacon publishes a random value at fixed times, under the number of its round. Calls and answers are those of drand
// (docs.drand.love, HTTP API, version 1): `GET /info` and `GET /public/ROUND`.

/** A beacon: the address of its chain, with or without a slash at the end. */
export interface Beacon {
  url: string;
}

/** The beacon gave no answer, or one that may not be used. The message says why. */
export class BeaconError extends Error {
  override name = 'BeaconError';
  /** Whether the beacon gave no answer at all. */
  readonly isAway: boolean;

  constructor(message: string, { isAway = false, cause }: { isAway?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.isAway = isAway;
  }
}

/** The longest wait for the beacon, in ms. */
const ANSWER_MS = 5 * SECOND_MS;

/** The most bytes of an answer. One of drand has some 500. */
const BYTES_MAX = 16_384;

const Info = z.object({ period: z.int().min(1).max(86_400), genesis_time: z.int().min(0) });
const Round = z.object({ round: z.int().min(1), randomness: z.string().regex(/^[0-9a-f]{64}$/) });

/** Names the value of a round in words, as the source of a draw's public value. */
export const beaconWords = ({ url }: Beacon, round: number): string =>
  `the randomness of round ${round} of the beacon ${baseOf(url)}`;

const baseOf = (url: string): string => url.replace(/\/+$/, '');

/**
 * Reads the value of a round.
 *
 * @returns 64 hexadecimal digits; undefined when the round has not come yet
 * @throws BeaconError when the beacon is away, or answers with another round or form
 */
export async function readRound({ url }: Beacon, round: number): Promise<string | undefined> {
  const answer = await ask(`${baseOf(url)}/public/${round}`);
  // drand answers 404, 425 or an empty 200 for a round of the future, by version.
  if (answer === undefined) return undefined;
  const read = Round.safeParse(answer);
  if (!read.success) throw new BeaconError(`the beacon's answer for round ${round} has another form`);
  if (read.data.round !== round) throw new BeaconError(`the beacon answered round ${read.data.round} and not ${round}`);
  return read.data.randomness;
}

/**
 * Finds the first round that comes after a time.
 *
 * @param timeMs in ms since the epoch
 * @throws BeaconError when the beacon is away, or answers in another form
 */
export async function roundAfter({ url }: Beacon, timeMs: number): Promise<number> {
  const info = Info.safeParse(await ask(`${baseOf(url)}/info`));
  if (!info.success) throw new BeaconError('the beacon does not say when its rounds come');
  const { period, genesis_time: genesis } = info.data;
  // Round 1 comes at the time of the genesis.
  return Math.max(1, Math.floor((timeMs / SECOND_MS - genesis) / period) + 2);
}

/** Asks the beacon. Returns undefined if it does not have what is asked for. */
async function ask(address: string): Promise<unknown> {
  const text = await readAnswer(address);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new BeaconError("the beacon's answer is no JSON", { cause });
  }
}

/** Reads the text of an answer; '' if the beacon does not have what is asked for. */
async function readAnswer(address: string): Promise<string> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' });
    if (response.status === 200) return await boundedText(response, BYTES_MAX);
    await response.body?.cancel();
    if (response.status === 404 || response.status === 425) return '';
    throw new BeaconError(`the beacon answered ${response.status}`, { isAway: true });
  } catch (error) {
    if (error instanceof BeaconError) throw error;
    throw new BeaconError(`the beacon gives no answer: ${causeOf(error as Error)}`, { isAway: true, cause: error });
  }
}

/** Returns the message of what is behind an error: that of `fetch` is always the same. */
const causeOf = ({ message, cause }: Error): string => (cause as Error | undefined)?.message || message;
