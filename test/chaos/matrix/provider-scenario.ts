import { randomUUID } from 'node:crypto';
import type { NewSale } from '#core/operator/create-sale.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import type { FakeProvider } from '#stack/fake-provider/start.js';
import { until } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import type { ReceivedNotice } from '../../support/http/shop.js';
import type { History } from '../history/history.js';
import type { Client } from '../workload/client.js';
import type { Query } from '../workload/query.js';
import { PRICE_MINOR } from '../workload/world.js';

/** The parts of the scenario. */
export interface PayersOptions {
  connections: Connections;
  client: Client;
  /** Records the refund. */
  history: History;
  /** Takes the money. */
  fake: FakeProvider;
  /** Refunds, as an operator does in the console. */
  admin: Admin;
}

/** The address and the token of the console. */
interface Admin {
  url: string;
  token: string;
}

/** A buyer who has the address of the payment page. */
interface Payer {
  saleId: string;
  buyerId: string;
  paymentUrl: string;
}

const LOOK_MS = 60;
const ANSWER_MS = 10_000;
const DEADLINE_MS = 60_000;

/**
 * Runs every kind of payment at a provider. One buyer pays at once, and the shop refunds the order later. One pays, and the event is
 * lost. Two pay when their orders have expired, and one of these gets a unit again.
 */
export async function runPayers(options: PayersOptions): Promise<NewSale[]> {
  const { client, fake } = options;
  const [patient, fair, strict] = await createSales(options.connections);
  // Only events about money are sent: the process is to fail at one of those.
  await fake.mood({ lose: true });
  const [unheard, prompt, late, tooLate] = await Promise.all([
    sendToProvider(client, patient.id, 'unheard'),
    sendToProvider(client, patient.id, 'prompt'),
    sendToProvider(client, fair.id, 'late'),
    sendToProvider(client, strict.id, 'too-late'),
  ]);
  if (unheard) await pay(client, unheard);
  await fake.mood({ lose: false });
  if (prompt) await pay(client, prompt);
  await Promise.all([late, tooLate].map(payer => payer && payLate(client, payer)));
  if (prompt) await refund(options, prompt);
  return [patient, fair, strict];
}

async function createSales(connections: Connections): Promise<[NewSale, NewSale, NewSale]> {
  const create = (wishes: Partial<NewSale>) =>
    createOpenSale(connections, {
      id: `elsewhere-${randomUUID().slice(0, 8)}`,
      units: 3,
      priceMinor: PRICE_MINOR,
      provider: 'signed-webhook',
      payWithinSeconds: 2,
      standbyFactor: 0,
      unpaidLimit: 2,
      ...wishes,
    });
  // The first sale gives a worker the time to ask the provider before the deadline.
  return [await create({ payWithinSeconds: 8 }), await create({}), await create({ lateMoney: 'refund' })];
}

/** Buys, and asks for the payment page; undefined when the order has ended before. */
async function sendToProvider(client: Client, saleId: string, buyerId: string): Promise<Payer | undefined> {
  let answer = await client.ask('buy', saleId, buyerId);
  await inTime(async () => {
    if (!answer.claimId) answer = await client.ask('buy', saleId, buyerId);
    else if (answer.status === 'pending_payment') await client.ask('pay', saleId, buyerId);
    answer = { ...answer, ...(await client.ask('order-status', saleId, buyerId)) };
    return answer.paymentUrl !== undefined || answer.status === 'cancelled';
  });
  const { paymentUrl } = answer;
  return paymentUrl === undefined ? undefined : { saleId, buyerId, paymentUrl };
}

const pay = (client: Client, { saleId, buyerId, paymentUrl }: Payer): Promise<void> =>
  client.payElsewhere(saleId, buyerId, paymentUrl);

async function payLate(client: Client, payer: Payer): Promise<void> {
  await inTime(async () => (await client.ask('order-status', payer.saleId, payer.buyerId)).status === 'cancelled');
  await pay(client, payer);
}

/** Refunds the order of a buyer, with retries until the admin console confirms it. */
async function refund({ client, history, admin }: PayersOptions, { saleId, buyerId }: Payer): Promise<void> {
  let claimId: string | undefined;
  await inTime(async () => {
    const answer = await client.ask('order-status', saleId, buyerId);
    // If the money came late, this is another claim than the one that was to be paid.
    if (answer.status === 'paid') claimId = answer.claimId;
    return claimId !== undefined || answer.reason === 'refunded_late_payment';
  });
  if (!claimId) return;
  const complete = history.invoke({ call: 'refund', saleId, buyerId, amountMinor: PRICE_MINOR });
  const done = await inTime(() => isRefunded(`${admin.url}/orders/${claimId}/refund`, admin.token));
  complete(done ? 'ok' : 'info', { http: done ? 200 : 0, claimId });
}

async function isRefunded(url: string, token: string): Promise<boolean> {
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ restock: 'yes' }),
    signal: AbortSignal.timeout(ANSWER_MS),
  };
  // The admin may be away, or fail on the way. An operator would try again.
  return fetch(url, init).then(
    ({ ok }) => ok,
    () => false,
  );
}

const inTime = (fact: () => Promise<boolean>): Promise<boolean> => until(fact, DEADLINE_MS, LOOK_MS);

/**
 * Checks that the shop received every notice at least once, and the notices of each order in order.
 *
 * @returns the missing and the misplaced notices
 */
export async function checkShop(query: Query, saleIds: string[], told: readonly ReceivedNotice[]): Promise<string[]> {
  const list = saleIds.map(id => `'${id}'`).join(', ');
  const notices = await query(
    `SELECT id, order_id, kind FROM outbox_events WHERE kind <> 'release' AND sale_id IN (${list}) ORDER BY id`,
  );
  const first = new Map([...told].reverse().map((notice, i) => [notice.id, told.length - i]));
  return notices.flatMap(({ id, order_id: orderId, kind }, i) => {
    const at = first.get(`evt_${id}`);
    if (at === undefined) return [`shop: ${kind} of ${orderId} was not told`];
    const late = notices.slice(0, i).find(one => one.order_id === orderId && (first.get(`evt_${one.id}`) ?? 0) > at);
    return late ? [`shop: ${kind} of ${orderId} was told before ${late.kind}`] : [];
  });
}
