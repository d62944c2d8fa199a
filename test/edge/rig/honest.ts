import { setTimeout } from 'node:timers/promises';
import { Agent } from 'undici';

/** A buyer's page that hears nothing for this long gives up, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10_000;
/** The fewest honest requests that are sent during an attack. */
export const HONEST_MIN = 300;
const SENDERS = 6;
/** The pause of a sender between an answer and its next request, in ms. All senders together ask far less than an API can answer. */
const GAP_MS = 20;
const SERVER_ERROR = 500;

/** A request of an honest client. Each one comes from an address of its own. */
export interface HonestRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
}

/** The answers that honest clients got. */
export interface Tally {
  sent: number;
  /** Counts answers of 5xx by status, and requests without an answer by error. */
  failed: Record<string, number>;
  statuses: Record<number, number>;
  slowestMs: number;
  /** The claim ids in the answers. */
  claimIds: string[];
}

/** Returns an address that no other honest client of the run has. */
function address(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * Sends honest requests until an attack is over, and at least {@link HONEST_MIN}.
 *
 * @param url of nginx
 * @param next creates a request; its number begins at 1
 * @param attack resolves when the attack is over
 * @throws the attack's own error
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
      await setTimeout(GAP_MS);
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

/** Sends a request. Returns the status, or the error of a request without an answer, and the claim that the answer names. */
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
