import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bucketOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import type { Sale } from '#core/rules/sale.js';
import { type ApiContext, closeContext, createContext } from '../../../apps/api/context.js';
import { drain, startServer } from '../../../apps/api/server.js';
import { eventually } from '../../support/eventually.js';
import { apiConfigOf, bearer } from '../../support/http/api.js';
import { useCluster, whileAway } from '../../support/redis/cluster.js';
import { slotOf } from '../../support/redis/slot-owner.js';
import { aSale } from '../../support/sales.js';

// An API on a Redis Cluster, of which some buckets are away: what it says of itself, and to buyers.

const WAIT_MS = 60_000;
const DRAIN_MS = 1_000;

let ctx: ApiContext;
let server: Awaited<ReturnType<typeof startServer>>;

afterAll(async () => {
  await drain(ctx, server, DRAIN_MS);
  await closeContext(ctx);
});
const c = useCluster(1);
beforeAll(async () => {
  ctx = createContext(apiConfigOf(c.server.url));
  server = await startServer(ctx);
});

const anId = () => randomUUID().slice(0, 8);

async function send(path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const { status, headers } = response;
  return { status, retryAfter: headers.get('retry-after'), body: (await response.json()) as unknown };
}

const buy = (sale: Sale, buyerId: string) => send(`/buy/${sale.id}`, { method: 'POST', headers: bearer(buyerId) });

/** Opens a sale with rules, and finds two buyers: one whose bucket the sale and the other buyer do not have. */
async function saleWithBuyers(): Promise<{ sale: Sale; here: string; there: string }> {
  const sale = aSale({ onePurchaseAtATime: true });
  await openSale(c.redis, sale);
  const here = anId();
  let there = anId();
  while ([here, sale.id].some(id => slotOf(id) === slotOf(there))) there = anId();
  return { sale, here, there };
}

const isServed = (sale: Sale, buyerId: string) =>
  eventually(async () => expect(await buy(sale, buyerId)).toMatchObject({ status: 202 }), WAIT_MS);

describe('the bucket of a buyer is away', () => {
  test('the buyer learns when to come again, and the other buyers of the sale are served', async () => {
    const { sale, here, there } = await saleWithBuyers();
    await eventually(async () => expect((await send('/readyz')).status).toBe(200), WAIT_MS);
    await whileAway(c, there, async () => {
      expect(await buy(sale, there)).toEqual({
        status: 503,
        retryAfter: expect.stringMatching(/^[1-9]\d*$/),
        body: expect.objectContaining({ code: 'unavailable' }),
      });
      await isServed(sale, here);
    });
    await isServed(sale, there);
  });
});

describe('readiness', () => {
  test('an API without a bucket is ready, with a note that names it, as no other API has it', async () => {
    const { there } = await saleWithBuyers();
    const bucket = bucketOf(there).replace(/[{}]/g, '');
    const ready = { status: 200, retryAfter: null };
    await eventually(
      async () => expect(await send('/readyz')).toEqual({ ...ready, body: { status: 'ready' } }),
      WAIT_MS,
    );
    await whileAway(c, there, () =>
      eventually(async () => {
        const note = `Redis does not answer (bucket ${bucket})`;
        expect(await send('/readyz')).toEqual({ ...ready, body: { status: 'ready', note } });
      }, WAIT_MS),
    );
  });

  test('an API without any bucket is not ready', async () => {
    const pid = Number(c.server.nodes[0]?.pid);
    process.kill(pid, 'SIGSTOP');
    try {
      await eventually(async () => {
        const { status, body } = await send('/readyz');
        expect(status).toBe(503);
        const { detail } = body as { detail: string };
        for (const bucket of ['b00', 'b15']) expect(detail).toContain(`Redis does not answer (bucket ${bucket})`);
        expect(detail).toContain('the queue is not connected');
      }, WAIT_MS);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => expect((await send('/readyz')).status).toBe(200), WAIT_MS);
  });
});
