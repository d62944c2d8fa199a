import { readDueReleases } from '../postgres/deliveries/due-releases.js';
import { pages } from '../postgres/pages.js';
import { crashPoint } from '../process/crash-point.js';
import type { StepContext } from '../steps/context.js';
import { releaseUnits } from '../steps/release-units.js';
import { inTurn } from '../values/in-turn.js';

/**
 * Age at which a release in Postgres counts as abandoned, in ms. Normally the process that wrote the release carries it
 * out in Redis at once.
 */
const DELIVER_AFTER_MS = 1_000;

const DELIVER_BATCH = 500;

/**
 * Carries out, in Redis, the releases that no process has finished: it died, or Redis was away. A release frees a unit
 * and its buyer, and Postgres keeps it until then.
 *
 * @returns the number of releases carried out
 * @throws Failures with every error, after every sale was tried; the releases of a failed sale stay due for the next round
 */
export async function deliverEvents(ctx: StepContext): Promise<number> {
  let delivered = 0;
  const undelivered = pages(DELIVER_BATCH, id =>
    readDueReleases(ctx.db, { olderThanMs: DELIVER_AFTER_MS, limit: DELIVER_BATCH, afterId: id }),
  );
  await inTurn(undelivered, async releases => {
    await crashPoint('deliver.read');
    await releaseUnits(ctx, releases);
    delivered += releases.length;
  });
  return delivered;
}
