import { setTimeout as pause } from 'node:timers/promises';
import { issueToken } from '#core/identity/token.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Rig } from './rig.js';

/** Between two visits, in ms. */
const VISIT_MS = 100;
/** The page of a buyer gives up after this time, in ms (apps/web/scripts/api.js). */
const PATIENCE_MS = 10 * SECOND_MS;
const ERROR_STATUS = 400;

/** The requests of honest people beside the inputs. */
export interface HonestTally {
  sent: number;
  /** From request to answer, each in ms. */
  tookMs: number[];
  /** One line in words for each request that was refused, or not answered. */
  failed: string[];
}

/**
 * Sends honest requests until it is stopped. Each new buyer looks at a sale, buys and polls through nginx. Then an
 * operator looks at the sales.
 */
export async function visitHonestly(
  { ports, ground, honestSaleId }: Pick<Rig, 'ports' | 'ground' | 'honestSaleId'>,
  signal: AbortSignal,
): Promise<HonestTally> {
  const tally: HonestTally = { sent: 0, tookMs: [], failed: [] };
  const ask = (door: 'nginx' | 'admin', path: string, init: RequestInit) =>
    askOnce(tally, `http://127.0.0.1:${ports[door]}${path}`, init);
  for (let number = 1; !signal.aborted; number += 1) {
    const headers = {
      authorization: `Bearer ${issueToken(ground.secrets.authSecret, `honest-${number}`)}`,
      'x-forwarded-for': `172.16.${(number >> 8) & 255}.${number & 255}`,
    };
    await ask('nginx', `/sales/${honestSaleId}`, { headers });
    await ask('nginx', `/buy/${honestSaleId}`, { method: 'POST', headers });
    await ask('nginx', `/order-status/${honestSaleId}`, { headers });
    await ask('admin', '/sales', { headers: { authorization: `Bearer ${ground.secrets.adminToken}` } });
    await pause(VISIT_MS, undefined, { signal }).catch(() => undefined);
  }
  return tally;
}

async function askOnce(tally: HonestTally, url: string, init: RequestInit): Promise<void> {
  const startedAt = performance.now();
  tally.sent += 1;
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    if (answer.status >= ERROR_STATUS) tally.failed.push(`an honest request got ${answer.status}: ${url} ${text}`);
  } catch (error) {
    tally.failed.push(`an honest request got no answer: ${url} ${error}`);
  }
  tally.tookMs.push(performance.now() - startedAt);
}
