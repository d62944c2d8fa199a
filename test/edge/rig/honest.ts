import { Agent } from 'undici';
import { pause } from '#core/rules/clock.js';

/** A buyer's page that hears nothing for this long gives up, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10_000;
/** How many honest requests there are at least beside an attack. */
export const HONEST_MIN = 300;
const SENDERS = 6;
/** Of each sender, from an answer to its next request, in ms: together far below what an API can answer. */
const GAP_MS = 20;
const SERVER_ERROR = 500;

/** What honest people do. Each request comes from an address of its own. */
export interface HonestRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
}

/** What honest people got. */
export interface Tally {
  sent: number;
  /** Answers 5xx, and requests without an answer, by what it was. */
  failed: Record<string, number>;
  statuses: Record<number, number>;
  slowestMs: number;
  /** The claims that clicks were told of, one for each click. */
  claimIds: string[];
}

/** An address that no other client of this run has. */
function address(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * Sends honest requests for as long as an attack lasts, and at least {@link HONEST_MIN}.
 *
 * @param url of nginx
 * @param next makes the next request, given its number
 * @param attack settles when it is over
 * @returns what the honest got
 * @throws what the attack throws
 */
export async function honestDuring(
  url: string,
  next: (number: number) => HonestRequest,
  attack: Promise<unknown>,
): Promise<Tally> {
  const agent = new Agent({ connections: SENDERS, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const tally: Tally = { sent: 0, failed: {}, statuses: {}, slowestMs: 0, claimIds: [] };
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  ended.catch(() => undefined); // awaited below
  const send = async () => {
    while (!over || tally.sent < HONEST_MIN) {
      tally.sent += 1;
      const number = tally.sent;
      const startedAt = performance.now();
      const { got, claimId } = await outcomeOf(agent, url, { number, ...next(number) });
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedAt);
      note(tally, got);
      if (claimId) tally.claimIds.push(claimId);
      await pause(GAP_MS);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await agent.close();
  await ended;
  return tally;
}

function note({ statuses, failed }: Tally, got: number | string): void {
  if (typeof got === 'number') statuses[got] = (statuses[got] ?? 0) + 1;
  if (typeof got === 'string' || got >= SERVER_ERROR) failed[got] = (failed[got] ?? 0) + 1;
}

/** The status, or why there is none; and the claim, if the answer names one. */
async function outcomeOf(
  agent: Agent,
  origin: string,
  { number, method, path, headers }: HonestRequest & { number: number },
): Promise<{ got: number | string; claimId?: string | undefined }> {
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path,
      method,
      headers: { 'x-forwarded-for': address(number), ...headers },
    });
    const claimId = /"claimId":"([^"]+)"/.exec(await body.text())?.[1];
    return { got: statusCode, claimId };
  } catch (error) {
    return { got: error instanceof Error ? error.message : String(error) };
  }
}
