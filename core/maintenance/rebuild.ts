import { recordRepairs } from '../postgres/repairs.js';
import { overtakeGeneration, readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { repaired } from '../process/telemetry.js';
import { type Facts, readFacts } from '../redis/sale/content.js';
import { SaleCopying } from '../redis/sale/copying.js';
import { type OpenOutcome, Staging } from '../redis/sale/staging.js';
import type { Sale } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { publishDraw } from '../steps/line/publish.js';
import type { Progress, Reported } from '../values/progress.js';
import { Line } from './line/line.js';
import { Merge } from './merge.js';

/** A worker may place a claim while its sale is merged, Redis may restart, and keys may move. More than that is no coincidence. */
const TRIES = 3;

/** So few changed buyers are copied behind the shut gate within some 20 ms. More of them are copied before, while the sale sells. */
const CHANGED_FEW = 1_000;

/** In a rush, buyers change as quickly as they are copied. Then the gate is shut after as many passes. */
const PASSES = 3;

/**
 * Rebuilds a sale in Redis, from its orders in Postgres and from unplaced claims that Redis still has. It is copied by pages while it
 * sells, and so are, again, the buyers who have changed meanwhile. When few of these are left, its gate is shut: every script refuses, and
 * claims get 503. The last ones are copied again, and the copy becomes the sale at once.
 *
 * @returns the number of claims in the rebuilt sale; undefined without such a sale in Postgres, or when another process
 * rebuilt it
 * @throws the stores' errors: the sale is as it was, and reconcile tries again
 */
export async function rebuild(
  ctx: StepContext,
  saleId: string,
  { progress }: Reported = {},
): Promise<number | undefined> {
  const sale = await readSale(ctx.db, saleId);
  if (!sale) return undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const staging = await Staging.begin(ctx.redis, sale);
    if (!staging) continue;
    const outcome = await copyAndSwap(ctx, sale, { staging, progress }).finally(() => staging.discard());
    if (outcome === 'superseded') return undefined;
    if (outcome === 'opened') return staging.counts.claims;
  }
  throw new Error(`sale ${saleId} could not be rebuilt: it changes, or Redis restarts, while it is copied`);
}

async function copyAndSwap(
  ctx: StepContext,
  sale: Sale,
  { staging, progress }: { staging: Staging; progress: Progress | undefined },
): Promise<OpenOutcome | 'unnoted'> {
  const copying = await SaleCopying.begin(ctx.redis, sale.id);
  try {
    const before = await readFacts(ctx.redis, sale.id);
    // After the beginning: a rebuild that begins later and reads more makes this one give up.
    const line = await Line.read(ctx, sale);
    progress?.expect(before.claims || sale.units);
    const merge = new Merge(ctx, { sale, atMs: before.atMs, staging, line, progress });
    await merge.copyAll();
    for (let passes = 0; passes < PASSES && (await copying.countChanged()) > CHANGED_FEW; passes += 1) {
      const { units } = (await readSale(ctx.db, sale.id)) ?? sale;
      await merge.copyChanged(await copying.takeChanged(), units);
    }
    await crashPoint('rebuild.read');
    const outcome = await swap(ctx, { sale, staging, copying, merge, line });
    if (outcome === 'opened') {
      await note(ctx, sale.id, staging, before);
      if (line) await publishDraw(ctx, sale.id);
    }
    // With the gate shut, the next try copies all.
    else if (outcome !== 'unnoted') await copying.reopen();
    return outcome;
  } catch (error) {
    await copying.reopen().catch(() => undefined);
    throw error;
  } finally {
    await copying.end();
  }
}

/** The parts of a rebuild whose copy becomes the sale. */
interface Swapped {
  sale: Sale;
  staging: Staging;
  copying: SaleCopying;
  merge: Merge;
  line: Line | undefined;
}

/** Shuts the gate, copies what has changed, and makes the copy the sale. */
async function swap(
  ctx: StepContext,
  { sale, staging, copying, merge, line }: Swapped,
): Promise<OpenOutcome | 'unnoted'> {
  const changed = await copying.shut();
  if (changed === 'superseded' || changed === 'unnoted') return changed;
  await crashPoint('rebuild.shut');
  // These facts refuse a sale whose keys were moved while it was copied.
  const { latestGeneration } = await readFacts(ctx.redis, sale.id);
  await overtakeGeneration(ctx.db, sale.id, latestGeneration);
  // The sale is read after its gate was shut. An earlier reading could miss a restock whose units Redis has already given out.
  const latest = await readSale(ctx.db, sale.id);
  if (!latest) return 'superseded';
  // Then all is merged again, as after a restart of Redis.
  if (!(await merge.copyAgain(changed, latest.units)) || (await line?.isOutdated())) return 'restarted';
  await crashPoint('rebuild.staged');
  const outcome = await crashStep('rebuild.open', async () =>
    staging.open(latest, copying.gate, await line?.fields(staging.lastTicket)),
  );
  await crashPoint('rebuild.opened');
  return outcome;
}

async function note(ctx: StepContext, saleId: string, staging: Staging, before: Facts): Promise<void> {
  const hadRemains = before.units > 0 || before.claims > 0 || before.waiting > 0;
  const kind = hadRemains ? 'rebuilt' : 'loaded';
  const { claims, standby: waiting } = staging.counts;
  await recordRepairs(ctx.db, saleId, [{ kind, detail: { claims, waiting } }]);
  repaired(kind, 1, saleId);
  ctx.log.warn({ saleId, claims, hadRemains }, 'sale rebuilt from Postgres');
}
