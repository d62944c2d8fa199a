import { randomUUID } from 'node:crypto';
import type { NewSale } from '#core/operator/create-sale.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { keysOf } from '#core/redis/keys.js';
import type { Claim } from '#core/rules/claim.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import type { Answer } from '#stack/crowd/storefront.js';
import { until } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import { eventually } from '../../support/eventually.js';
import { backdateReleases, forceClaim } from '../../support/stores/by-hand.js';
import type { Client } from '../workload/client.js';
import type { Random } from '../workload/random.js';
import { type Visit, visitSale } from '../workload/visit.js';
import { PASS_WORK, PRICE_MINOR } from '../workload/world.js';

/** The unfinished work that an outage leaves for maintenance. */
export interface Leftovers {
  sales: NewSale[];
  /** The sales of which Redis lost confirmed data. Only there may an accepted claim end as lost. */
  lossy: NewSale[];
  /** Receipts of claims that Redis lost. Their buyers come back with them. */
  receipts: Receipt[];
}

/** A receipt, and the buyer who has it. */
interface Receipt {
  saleId: string;
  buyerId: string;
  receipt: string;
}

/** The rules of all sales here: a click needs a pass, and nobody holds a unit without paying a third time. */
const STRICT = { needsPass: true, unpaidLimit: 2, retryPayWithinSeconds: 1 } as const;

const RETRY_MS = 60;
const CLAIM_DEADLINE_MS = 60_000;

/** Clicks until the answer has a claim. */
async function claimOf(client: Client, saleId: string, buyerId: string): Promise<Claim & { receipt: string }> {
  let answer: Answer = { http: 0 };
  const hasReceipt = async () => {
    answer = await client.ask('buy', saleId, buyerId);
    return answer.receipt !== undefined;
  };
  await until(hasReceipt, CLAIM_DEADLINE_MS, RETRY_MS);
  const { claimId, unit, receipt } = answer;
  if (!claimId || !unit || !receipt) throw new Error(`${buyerId} got no claim in ${saleId}`);
  return { buyerId, claimId, unit, receipt };
}

/** Clicks until the buyer is on standby. */
async function untilIn(client: Client, saleId: string, buyerId: string): Promise<void> {
  const isIn = async () => (await client.ask('buy', saleId, buyerId)).status === 'standby';
  await until(isIn, CLAIM_DEADLINE_MS, RETRY_MS);
}

/**
 * Lets buyers claim while no worker runs, and then creates the state that an outage leaves. Jobs are lost. Redis misses an order, a
 * release, a claim and a sale. One claim contradicts an order, and one sale is unverified.
 */
export async function simulateOutage(connections: Connections, client: Client): Promise<Leftovers> {
  const create = (wishes: Partial<NewSale>) =>
    createOpenSale(connections, {
      id: `outage-${randomUUID().slice(0, 8)}`,
      units: 4,
      priceMinor: PRICE_MINOR,
      payWithinSeconds: 2,
      standbyFactor: 0,
      ...STRICT,
      ...wishes,
    });
  const [mixed, offered, gone, shut, contrary, immediate] = [
    // Longer than the start of a worker takes, so that a worker finds the orders as they are here.
    await create({ payWithinSeconds: 6 }),
    await create({ units: 1, standbyFactor: 1 }),
    await create({}),
    await create({}),
    await create({ settlement: 'immediate' }),
    await create({ settlement: 'immediate' }),
  ];
  // The contradicting buyer needs money, because a claim without money would end for that reason.
  await creditWallets(connections.db, ['rich', 'first', 'contrary'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
  const [behind, lost] = [await claimOf(client, mixed.id, 'behind'), await claimOf(client, mixed.id, 'lost')];
  const undelivered = await claimOf(client, offered.id, 'undelivered');
  await untilIn(client, offered.id, 'next');
  await claimOf(client, shut.id, 'waiting');
  const orphan = await claimOf(client, gone.id, 'orphan');
  const first = await claimOf(client, contrary.id, 'first');
  for (const buyerId of ['rich', 'poor']) await claimOf(client, immediate.id, buyerId);

  await breakMixedSale(connections, mixed.id, { behind, lost });
  await leaveReleaseUndone(connections, offered.id, undelivered);
  await connections.redis.hset(keysOf(shut.id).sale, 'runId', 'another');
  await connections.redis.unlink(keysOf(gone.id).sale);
  await insertOrders(connections.db, contrary.id, [first]);
  await loseJobs(connections, [mixed, offered, gone, shut, contrary, immediate]);
  await contradict(connections, contrary.id, first);
  return {
    sales: [mixed, offered, gone, shut, contrary, immediate],
    lossy: [mixed, gone, contrary],
    receipts: [
      { saleId: mixed.id, buyerId: 'lost', receipt: lost.receipt },
      { saleId: gone.id, buyerId: 'orphan', receipt: orphan.receipt },
    ],
  };
}

/** Creates an order that Redis doesn't know of, and a claim that Redis lost. */
async function breakMixedSale(
  connections: Connections,
  saleId: string,
  { behind, lost }: Record<'behind' | 'lost', Claim>,
): Promise<void> {
  const { db, redis } = connections;
  const keys = keysOf(saleId);
  await insertOrders(db, saleId, [behind]);
  await redis.zrem(keys.outbox, 'behind', 'lost');
  await redis.hdel(keys.claims, 'lost');
  await redis.rpush(keys.stock, lost.unit);
}

/** Ends an order without its release, which counts a strike and offers the unit to the next buyer on standby. */
async function leaveReleaseUndone(connections: Connections, saleId: string, undelivered: Claim): Promise<void> {
  const { db, redis } = connections;
  await insertOrders(db, saleId, [undelivered]);
  await cancelRow(db, saleId, undelivered);
  // Old enough for deliver-events to find the release at once. Otherwise reconcile would repair it a moment later.
  await backdateReleases(connections, saleId, 10);
  await redis.zrem(keysOf(saleId).outbox, undelivered.buyerId);
}

/** Removes all jobs, and makes the claims of the outbox so old that rescue takes them up. */
async function loseJobs({ redis }: Connections, sales: NewSale[]): Promise<void> {
  for (const key of await redis.keys('{dropline}:*')) await redis.unlink(key);
  for (const { id } of sales) {
    for (const buyerId of await redis.zrange(keysOf(id).outbox, '0', '-1'))
      await redis.zincrby(keysOf(id).outbox, -10_000, buyerId);
  }
}

/** Gives out the unit of a claim again, like a Redis that lost the claim. Only Postgres can tell. */
async function contradict({ redis }: Connections, saleId: string, held: Claim): Promise<void> {
  const queues = createQueues(redis, () => undefined);
  const { claims, outbox } = keysOf(saleId);
  await redis.hdel(claims, held.buyerId);
  await redis.zrem(outbox, held.buyerId);
  await forceClaim({ redis }, saleId, { buyerId: 'contrary', claimId: randomUUID(), unit: held.unit });
  // The time limit is that of an API, whose buyers wait. A second job changes nothing.
  await eventually(() => enqueuePlaceWaiting(queues, { saleId }));
  await closeQueues(queues);
}

/** The parts of the scenario. */
export interface BuyersOptions {
  connections: Connections;
  client: Client;
  /** Decides what the plans leave open. */
  random: Random;
  leftovers: Leftovers;
}

/**
 * Runs every kind of buyer in a small sale with a standby. Those who don't pay come back until they get no more. The buyers with a receipt
 * come back after the outage.
 *
 * @returns the small sale
 */
export async function runBuyers({ connections, client, random, leftovers }: BuyersOptions): Promise<NewSale> {
  const sale = await createOpenSale(connections, {
    id: `drop-${randomUUID().slice(0, 8)}`,
    units: 3,
    priceMinor: PRICE_MINOR,
    payWithinSeconds: 2,
    standbyFactor: 1,
    ...STRICT,
    passWork: PASS_WORK,
  });
  await creditWallets(connections.db, ['payer'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
  const plans: Visit['withUnit'][] = ['pay', 'cancel', 'leave', 'leave', 'cancel'];
  const visits = plans.map((withUnit, i) =>
    visitSale(client, random, {
      saleId: sale.id,
      buyerId: withUnit === 'pay' ? 'payer' : `buyer-${i}`,
      clicks: 1,
      withUnit,
      returns: withUnit === 'pay' ? 0 : STRICT.unpaidLimit,
      patienceMs: CLAIM_DEADLINE_MS,
    }),
  );
  const returning = leftovers.receipts.map(receipt => untilDecided(client, receipt));
  await Promise.all([...visits, ...returning]);
  return sale;
}

async function untilDecided(client: Client, { saleId, buyerId, receipt }: Receipt): Promise<void> {
  const isDecided = async () => {
    const { status } = await client.ask('order-status', saleId, buyerId, { receipt });
    return status === 'pending_payment' || status === 'cancelled' || status === 'rejected';
  };
  await until(isDecided, CLAIM_DEADLINE_MS, RETRY_MS);
}
