import { randomUUID } from 'node:crypto';
import type { NewSale } from '#core/operator/create-sale.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import type { FakeProvider } from '#stack/fake-provider/start.js';
import { until } from '#stack/processes/until.js';
import type { Connections } from '#stack/stores/connections.js';
import type { ToldEvent } from '../../support/http/shop.js';
import type { History } from '../history/history.js';
import type { Client } from '../workload/client.js';
import { PRICE_MINOR, type Query } from '../workload/world.js';

/** Who takes the money, and who gives it back, beside the buyers. */
export interface Cashiers {
  fake: FakeProvider;
  admin: { url: string; token: string };
}

/** A buyer who was sent to the provider's page. */
interface Payer {
  saleId: string;
  buyerId: string;
  paymentUrl: string;
}

const LOOK_MS = 60;
const ANSWER_MS = 10_000;
const DEADLINE_MS = 15_000;

/**
 * Everything that can happen to money at a provider: one pays at once, and is given the money back by the shop later; one pays, and
 * nothing is heard of it; two pay when their orders have expired, and one of them gets a unit again.
 *
 * @param connections both stores
 * @param client asks for the buyers
 * @param history notes the refund
 * @param cashiers the provider, and the admin
 * @returns the sales
 */
export async function doBusinessElsewhere(
  connections: Connections,
  client: Client,
  history: History,
  { fake, admin }: Cashiers,
): Promise<NewSale[]> {
  const open = (wishes: Partial<NewSale>) =>
    createOpenSale(connections, {
      id: `elsewhere-${randomUUID().slice(0, 8)}`,
      units: 3,
      priceMinor: PRICE_MINOR,
      provider: 'signed-webhook',
      payWithinSeconds: 2,
      standbyFactor: 0,
      ...wishes,
    });
  // Long enough for a question to the provider before the deadline.
  const [patient, fair, strict] = [
    await open({ payWithinSeconds: 8 }),
    await open({}),
    await open({ lateMoney: 'refund' }),
  ];
  // No event but those about money that came: it is at those that a process is to fail.
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
  if (prompt) await giveBack(client, history, admin, prompt);
  return [patient, fair, strict];
}

/** @returns undefined when the order has ended before the buyer learned where to pay */
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

/** The shop gives the money back, until the admin has confirmed it. */
async function giveBack(
  client: Client,
  history: History,
  { url, token }: Cashiers['admin'],
  { saleId, buyerId }: Payer,
): Promise<void> {
  let claimId: string | undefined;
  await inTime(async () => {
    const answer = await client.ask('order-status', saleId, buyerId);
    // Another claim than the one that was to be paid, when the money came late.
    if (answer.status === 'paid') claimId = answer.claimId;
    return claimId !== undefined || answer.reason === 'refunded_late_payment';
  });
  if (!claimId) return;
  const settle = history.invoke({ call: 'refund', saleId, buyerId, amountMinor: PRICE_MINOR });
  const done = await inTime(() => isRefunded(`${url}/orders/${claimId}/refund`, token));
  settle(done ? 'ok' : 'info', { http: done ? 200 : 0, claimId });
}

async function isRefunded(url: string, token: string): Promise<boolean> {
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ restock: 'yes' }),
    signal: AbortSignal.timeout(ANSWER_MS),
  };
  // It may be away, or fail on the way: then it is asked again, as an operator would.
  return fetch(url, init).then(
    ({ ok }) => ok,
    () => false,
  );
}

const inTime = (fact: () => Promise<boolean>): Promise<boolean> => until(fact, DEADLINE_MS, LOOK_MS);

/**
 * The shop must have been told of everything, in order for each order, however often.
 *
 * @param query reads Postgres
 * @param saleIds the sales
 * @param told what the shop took in
 * @returns what it was not told, or not in order
 */
export async function checkShop(query: Query, saleIds: string[], told: readonly ToldEvent[]): Promise<string[]> {
  const list = saleIds.map(id => `'${id}'`).join(', ');
  const events = await query(
    `SELECT id, order_id, kind FROM outbox_events WHERE kind <> 'release' AND sale_id IN (${list}) ORDER BY id`,
  );
  const first = new Map([...told].reverse().map((event, i) => [event.id, told.length - i]));
  return events.flatMap(({ id, order_id: orderId, kind }, i) => {
    const at = first.get(`evt_${id}`);
    if (at === undefined) return [`shop: ${kind} of ${orderId} was not told`];
    const late = events.slice(0, i).find(one => one.order_id === orderId && (first.get(`evt_${one.id}`) ?? 0) > at);
    return late ? [`shop: ${kind} of ${orderId} was told before ${late.kind}`] : [];
  });
}
