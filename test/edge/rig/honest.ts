import { setTimeout } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { Agent } from 'undici';
import type { TestStack } from '../../support/stack.js';

/** A buyer's page that hears nothing for this long gives up, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10_000;
/** The fewest honest requests that are sent during an attack. */
export const HONEST_MIN = 300;
/** The honest clients that send at the same time. */
export const SENDERS = 6;
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
  /** Counts answers of 5xx by path, status and body, and requests without an answer by path and error. */
  failed: Record<string, number>;
  statuses: Record<number, number>;
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
  const tally: Tally = { sent: 0, failed: {}, statuses: {}, claimIds: [] };
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  ended.catch(() => undefined); // awaited below
  const send = async () => {
    while (!over || tally.sent < HONEST_MIN) {
      tally.sent += 1;
      const number = tally.sent;
      const { status, failure, claimId } = await outcomeOf(agent, url, { number, ...next(number) });
      if (status) tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
      if (failure) tally.failed[failure] = (tally.failed[failure] ?? 0) + 1;
      if (claimId) tally.claimIds.push(claimId);
      await setTimeout(GAP_MS);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await agent.close();
  await ended;
  return tally;
}

/**
 * Returns requests of honest clients, each with a token of its own: they read the sale, click, poll, and load the page.
 *
 * @param saleId of a sale that has a unit for every click
 */
export function createHonest(stack: TestStack, saleId: string): (number: number) => HonestRequest {
  return number => {
    const headers = { authorization: `Bearer ${stack.token(`honest-${number}`)}` };
    const requests: HonestRequest[] = [
      { method: 'GET', path: `/sales/${saleId}` },
      { method: 'POST', path: `/buy/${saleId}`, headers },
      { method: 'GET', path: `/order-status/${saleId}`, headers },
      { method: 'GET', path: `/s/${saleId}` },
      { method: 'GET', path: '/healthz' },
    ];
    return requests[number % requests.length] as HonestRequest;
  };
}

/**
 * Expects that every honest client gets an answer during an attack, and no 5xx or 429.
 *
 * @param url of nginx
 * @param next creates a request; its number begins at 1
 * @param attack resolves when the attack is over
 */
export async function expectNobodyHarmed(
  url: string,
  next: (number: number) => HonestRequest,
  attack: Promise<unknown>,
): Promise<void> {
  const { sent, failed, statuses } = await honestDuring(url, next, attack);
  expect(sent).toBeGreaterThanOrEqual(HONEST_MIN);
  expect({ failed, refused: statuses[429] ?? 0 }).toEqual({ failed: {}, refused: 0 });
}

interface Outcome {
  status?: number;
  /** Says what went wrong, if it is the server's fault. */
  failure?: string;
  claimId?: string | undefined;
}

/** Sends a request. Returns the status, if there was an answer, and the claim that the answer names. */
async function outcomeOf(
  agent: Agent,
  origin: string,
  { number, method, path, headers }: HonestRequest & { number: number },
): Promise<Outcome> {
  try {
    const { statusCode, body } = await agent.request({
      origin,
      path,
      method,
      headers: { 'x-forwarded-for': address(number), ...headers },
    });
    const text = await body.text();
    const claimId = /"claimId":"([^"]+)"/.exec(text)?.[1];
    const failed = statusCode >= SERVER_ERROR;
    return { status: statusCode, claimId, ...(failed && { failure: `${path}: ${statusCode} ${text}` }) };
  } catch (error) {
    return { failure: `${path}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
