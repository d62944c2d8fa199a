import { signBody } from '../payments/signature.js';
import { markDelivered } from '../postgres/deliveries/due-releases.js';
import { type Notice, postponeNotice, readDueNotices } from '../postgres/deliveries/notices.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { shopTold } from '../process/telemetry.js';
import type { ShopEndpoint, StepContext } from '../steps/context.js';

/** Orders told about at the same time; the events of one order come one after the other. */
const TELL_TOGETHER = 32;

/** A shop that takes longer is told again later, in ms. */
const ANSWER_MS = 5_000;

/** A run goes on while there is something to tell, but leaves the actor's lock now and then. */
const ROUNDS_MAX = 50;

/**
 * Tells the shop what happened to orders: signed, in order for each order, again and again until it answers 2xx. An event may come
 * twice, and has the same id then.
 *
 * @param ctx the stores, and where the shop is; without a shop nothing is done
 * @returns how many events the shop took in
 */
export async function tellShop(ctx: StepContext): Promise<number> {
  const { shop } = ctx;
  if (!shop) return 0;
  let told = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const events = await readDueNotices(ctx.db, TELL_TOGETHER);
    const results = await Promise.all(events.map(event => tell(ctx, shop, event)));
    told += results.filter(Boolean).length;
    if (events.length === 0) break;
  }
  return told;
}

async function tell(ctx: StepContext, shop: ShopEndpoint, event: Notice): Promise<boolean> {
  const failure = await crashStep('shop.tell', () => send(shop, event));
  await crashPoint('shop.told');
  shopTold(failure === undefined);
  if (failure === undefined) await crashStep('shop.mark', () => markDelivered(ctx.db, [event.id]));
  else await postponeNotice(ctx.db, event.id, failure);
  return failure === undefined;
}

/** @returns why the shop did not take it in, or undefined when it did */
async function send({ url, secret }: ShopEndpoint, event: Notice): Promise<string | undefined> {
  const { id, kind, saleId, orderId, createdAt, data } = event;
  const body = JSON.stringify({
    id: `evt_${id}`,
    type: kind,
    createdAt: createdAt.toISOString(),
    data: { orderId, saleId, ...data },
  });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'dropline-signature': signBody([secret], body, Date.now()) },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}
