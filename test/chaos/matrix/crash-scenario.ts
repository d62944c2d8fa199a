import { randomUUID } from 'node:crypto';
import type { NewSale } from '#core/operator/create-sale.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import { enqueuePlaceOrders } from '#core/queue/enqueue.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { keysOf } from '#core/redis/keys.js';
import { openDrop } from '#stack/crowd/drop.js';
import type { Answer } from '#stack/crowd/storefront.js';
import { until } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import { backdateReleases } from '../../support/stores/by-hand.js';
import type { Client } from '../workload/client.js';
import { shop, type Visit } from '../workload/crowd.js';
import type { Random } from '../workload/random.js';
import { PRICE_MINOR } from '../workload/world.js';

/** What was left undone by an outage, for maintenance to find. */
export interface Leftovers {
  sales: NewSale[];
  /** Those of them of which Redis lost data that it had confirmed: only there may an accepted claim end as lost. */
  lossy: NewSale[];
  /** Signed for claims that Redis lost: their buyers come back with them. */
  receipts: { saleId: string; buyerId: string; receipt: string }[];
}

const RETRY_MS = 60;
const CLAIM_DEADLINE_MS = 15_000;

/** Clicks until there is a claim. */
async function claimOf(client: Client, saleId: string, buyerId: string) {
  let answer: Answer = { http: 0 };
  const isTold = async () => {
    answer = await client.ask('buy', saleId, buyerId);
    return answer.receipt !== undefined;
  };
  await until(isTold, CLAIM_DEADLINE_MS, RETRY_MS);
  const { claimId, unit, receipt } = answer;
  if (!claimId || !unit || !receipt) throw new Error(`${buyerId} got no claim in ${saleId}`);
  return { buyerId, claimId, unit, receipt };
}

/**
 * Has buyers claim while no worker runs, and then makes what an outage makes: jobs lost, an order that Redis wasn't told of, a
 * release that nobody carried out, a claim that Redis lost, one that contradicts an order, a sale that is gone and one that
 * isn't verified.
 *
 * @param connections both stores
 * @param client asks for the buyers
 * @returns what is left
 */
export async function leaveAMess(connections: Connections, client: Client): Promise<Leftovers> {
  const { db, redis } = connections;
  const open = (wishes: Partial<NewSale>) =>
    openDrop(connections, {
      id: `mess-${randomUUID().slice(0, 8)}`,
      units: 4,
      priceMinor: PRICE_MINOR,
      payWithinSeconds: 2,
      standbyFactor: 0,
      ...wishes,
    });
  const [mixed, gone, shut, contrary, immediate] = [
    // Longer than a worker takes to start: its orders are to be found as they were left.
    await open({ payWithinSeconds: 6 }),
    await open({}),
    await open({}),
    await open({ settlement: 'immediate' }),
    await open({ settlement: 'immediate' }),
  ];
  // Who contradicts has the money, too: without it the claim would end for that.
  await creditWallets(db, ['rich', 'first', 'contrary'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
  const [behind, undelivered, lost] = [
    await claimOf(client, mixed.id, 'behind'),
    await claimOf(client, mixed.id, 'undelivered'),
    await claimOf(client, mixed.id, 'lost'),
  ];
  await claimOf(client, shut.id, 'waiting');
  const orphan = await claimOf(client, gone.id, 'orphan');
  const first = await claimOf(client, contrary.id, 'first');
  for (const buyerId of ['rich', 'poor']) await claimOf(client, immediate.id, buyerId);

  const keys = keysOf(mixed.id);
  await insertOrders(db, mixed.id, [behind, undelivered]);
  await cancelRow(db, mixed.id, undelivered);
  // Old enough for deliver-events to find it at once: reconcile would mend it a moment later.
  await backdateReleases(connections, mixed.id, 10);
  await redis.zrem(keys.outbox, 'behind', 'undelivered', 'lost');
  await redis.hdel(keys.claims, 'lost');
  await redis.rpush(keys.stock, lost.unit);
  await redis.hset(keysOf(shut.id).sale, 'runId', 'another');
  await redis.unlink(keysOf(gone.id).sale);
  await insertOrders(db, contrary.id, [first]);
  // The jobs are lost, and everything waits for longer than rescue leaves it alone.
  for (const key of await redis.keys('{dropline}:*')) await redis.unlink(key);
  for (const { id } of [mixed, gone, shut, contrary, immediate]) {
    for (const buyerId of await redis.zrange(keysOf(id).outbox, '0', '-1'))
      await redis.zincrby(keysOf(id).outbox, -10_000, buyerId);
  }
  // A claim of a unit that somebody has, as an old primary may still give out: only Postgres can tell.
  const queues = createQueues(redis, () => undefined);
  await enqueuePlaceOrders(queues, {
    saleId: contrary.id,
    claims: [{ ...first, buyerId: 'contrary', claimId: randomUUID() }],
  });
  await closeQueues(queues);
  return {
    sales: [mixed, gone, shut, contrary, immediate],
    lossy: [mixed, gone, contrary],
    receipts: [
      { saleId: mixed.id, buyerId: 'lost', receipt: lost.receipt },
      { saleId: gone.id, buyerId: 'orphan', receipt: orphan.receipt },
    ],
  };
}

/**
 * Everything that buyers do, in a small sale with a line, and those who come back after the outage.
 *
 * @param connections both stores
 * @param client asks for them
 * @param random decides the rest
 * @param leftovers from {@link leaveAMess}
 * @returns the sale
 */
export async function doBusiness(
  connections: Connections,
  client: Client,
  random: Random,
  leftovers: Leftovers,
): Promise<NewSale> {
  const sale = await openDrop(connections, {
    id: `drop-${randomUUID().slice(0, 8)}`,
    units: 3,
    priceMinor: PRICE_MINOR,
    payWithinSeconds: 2,
    standbyFactor: 1,
  });
  await creditWallets(connections.db, ['payer'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
  const plans: Visit['withUnit'][] = ['pay', 'cancel', 'leave', 'leave', 'cancel'];
  const visits = plans.map((withUnit, i) =>
    shop(
      client,
      random,
      { saleId: sale.id, buyerId: withUnit === 'pay' ? 'payer' : `buyer-${i}`, clicks: 1, withUnit, returns: 0 },
      CLAIM_DEADLINE_MS,
    ),
  );
  const returning = leftovers.receipts.map(({ saleId, buyerId, receipt }) =>
    askUntilTold(client, saleId, buyerId, receipt),
  );
  await Promise.all([...visits, ...returning]);
  return sale;
}

async function askUntilTold(client: Client, saleId: string, buyerId: string, receipt: string): Promise<void> {
  const isTold = async () => {
    const { status } = await client.ask('order-status', saleId, buyerId, receipt);
    return status === 'pending_payment' || status === 'cancelled' || status === 'rejected';
  };
  await until(isTold, CLAIM_DEADLINE_MS, RETRY_MS);
}
