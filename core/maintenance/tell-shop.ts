import { signBody } from '../payments/signature.js';
import { markDelivered } from '../postgres/deliveries/due-releases.js';
import { type Notice, postponeNotice, readDueNotices } from '../postgres/deliveries/notices.js';
import { wantNotices } from '../postgres/deliveries/shop-webhook.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { shopTold } from '../process/money-telemetry.js';
import { type Failure, Failures } from '../rules/failures.js';
import type { ShopEndpoint, StepContext } from '../steps/context.js';
import { inTurn } from '../values/in-turn.js';

/** The most shop notices in flight at once. Notices about one order are sent in sequence. */
const TELL_TOGETHER = 32;

/**
 * The most shop notices read at once. They are several times those in flight, as the slowest answer of a batch holds up
 * the next batch.
 */
const TELL_BATCH = 160;

/** Time limit for the shop's answer to a notice, in ms. After a time-out, the notice is sent again later. */
const ANSWER_MS = 5_000;

/**
 * The most batches in one round of the actor tell-shop. A round continues while notices are due, but must release the
 * actor's lock in Postgres now and then.
 */
const ROUNDS_MAX = 10;

/**
 * Sends the due notices about orders to the shop's webhook: signed, and in sequence for each order. A notice is
 * repeated until the shop answers 2xx or the notice becomes a dead letter. Delivery is at least once; a repeated notice
 * has the same id.
 *
 * @returns the number of notices that the shop accepted; 0 without a shop
 * @throws Failures with every error of a batch, after every notice of it was tried
 */
export async function tellShop(ctx: StepContext): Promise<number> {
  const { shop } = ctx;
  if (!shop) return 0;
  await wantNotices(ctx.db);
  let told = 0;
  // A walk reads the due notices from the first to the last. A notice that waited for another one is read by the next walk.
  let walk: { after?: Notice | undefined; toldBefore: number } = { toldBefore: 0 };
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const notices = await readDueNotices(ctx.db, { limit: TELL_BATCH, after: walk.after });
    told += await tellAll(ctx, shop, notices);
    walk.after = notices.at(-1);
    if (notices.length === TELL_BATCH) continue;
    if (told === walk.toldBefore) break;
    walk = { toldBefore: told };
  }
  return told;
}

/**
 * Sends notices, {@link TELL_TOGETHER} at once, and returns the number of those that the shop accepted.
 *
 * @throws Failures with every error, after every notice was tried
 */
async function tellAll(ctx: StepContext, shop: ShopEndpoint, notices: Notice[]): Promise<number> {
  let told = 0;
  const left = notices.values();
  const failures: Failure[] = [];
  const tellInTurn = () =>
    inTurn(left, async notice => {
      if (await tell(ctx, shop, notice)) told += 1;
    }).catch(error => failures.push({ error }));
  await Promise.all(Array.from({ length: TELL_TOGETHER }, tellInTurn));
  if (failures.length > 0) throw new Failures(failures);
  return told;
}

async function tell(ctx: StepContext, shop: ShopEndpoint, notice: Notice): Promise<boolean> {
  const failure = await crashStep('shop.tell', () => send(shop, notice));
  await crashPoint('shop.told');
  shopTold(failure === undefined);
  if (failure === undefined) await crashStep('shop.mark', () => markDelivered(ctx.db, [notice.id]));
  else await postponeNotice(ctx.db, notice.id, failure);
  return failure === undefined;
}

/**
 * Sends one notice to the shop's webhook.
 *
 * @returns the reason of a failure, or undefined when the shop accepted the notice
 */
async function send({ url, secret }: ShopEndpoint, notice: Notice): Promise<string | undefined> {
  const { id, kind, saleId, orderId, createdAt, data } = notice;
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
