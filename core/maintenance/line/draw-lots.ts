import {
  closeDraw,
  type Draw,
  decideDraw,
  markDealt,
  readDraw,
  readUndealt,
  recordList,
} from '../../postgres/draws/draws.js';
import { crashPoint } from '../../process/crash-point.js';
import { readJoining } from '../../redis/draw/joining.js';
import { readLoadedSale } from '../../redis/sale/sale.js';
import type { StepContext } from '../../steps/context.js';
import { keepEntries } from '../../steps/line/keep-entries.js';
import { noteMissing } from '../../steps/line/missing-entries.js';
import { publishDraw, publishList } from '../../steps/line/publish.js';
import { promoteWaiting } from '../../steps/release-units.js';
import { inTurn } from '../../values/in-turn.js';
import { rebuild } from '../rebuild.js';

/**
 * Makes the order of every line whose sale has opened, and offers the units to its first buyers. Postgres records each step once, and a
 * worker continues after the last one that is recorded. So a crash anywhere makes no second order.
 *
 * @throws Failures with every error, after every sale was tried
 */
export async function drawAllLots(ctx: StepContext): Promise<void> {
  await inTurn(
    await readUndealt(ctx.db),
    saleId => drawLots(ctx, saleId),
    saleId => `sale ${saleId}`,
  );
}

/** Makes the order of the line of one sale, as far as it can be made now. */
export async function drawLots(ctx: StepContext, saleId: string): Promise<void> {
  const closed = await closedDraw(ctx, saleId);
  const draw = closed && (await decidedDraw(ctx, closed));
  if (!draw) return;
  // A rebuild gives each buyer of a decided draw their lot.
  if ((await readLoadedSale(ctx.redis, saleId))?.line !== 'ordered') await rebuild(ctx, saleId);
  if ((await readLoadedSale(ctx.redis, saleId))?.line !== 'ordered') return;
  await crashPoint('draw.ordered');
  // A clock that was set back refuses the units until the opening has come again.
  if (!(await readJoining(ctx.redis, saleId)).hasOpened) return;
  await promoteWaiting(ctx, saleId);
  await crashPoint('draw.dealt');
  await markDealt(ctx.db, saleId);
}

/** Closes the list of a draw, and publishes it with its root. Returns undefined while it may still get entries. */
async function closedDraw(ctx: StepContext, saleId: string): Promise<Draw | undefined> {
  const draw = await readDraw(ctx.db, saleId);
  if (!draw || draw.list) return draw;
  if (draw.closedAtMs === undefined) {
    if (!(await isComplete(ctx, saleId))) return undefined;
    await closeDraw(ctx.db, saleId);
    await crashPoint('draw.closed');
  }
  await recordList(ctx.db, saleId, await publishList(ctx, draw));
  await crashPoint('draw.listed');
  await publishDraw(ctx, saleId);
  return readDraw(ctx.db, saleId);
}

/** Tells whether Postgres has all entries: the opening has come for Redis, and nothing in it is left to be stored. */
async function isComplete(ctx: StepContext, saleId: string): Promise<boolean> {
  await keepEntries(ctx, saleId);
  await noteMissing(ctx, saleId);
  const { isVerified, hasOpened, unstored } = await readJoining(ctx.redis, saleId);
  return isVerified && hasOpened && unstored === 0;
}

/**
 * Decides a closed draw that uses no public value, and publishes the seed. Returns undefined for one whose value has not come: the
 * operator gives it, or the beacon (ask-beacon.ts).
 */
async function decidedDraw(ctx: StepContext, draw: Draw): Promise<Draw | undefined> {
  if (draw.decided) return draw;
  if (draw.valueSource !== undefined) return undefined;
  await decideDraw(ctx.db, draw.saleId, { value: '', isSubstitute: false });
  await crashPoint('draw.decided');
  await publishDraw(ctx, draw.saleId);
  return readDraw(ctx.db, draw.saleId);
}
