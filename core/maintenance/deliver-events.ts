import { readDueReleases } from '../postgres/deliveries/due-releases.js';
import { crashPoint } from '../process/crash-point.js';
import type { StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { releaseUnits } from '../steps/release-units.js';
import { pages } from './pages.js';

/** Age at which a release counts as abandoned, in ms. The process that wrote it normally carries it out at once. */
const DELIVER_AFTER_MS = 1_000;

const DELIVER_BATCH = 500;

/**
 * Carries out releases that Postgres decided and no process finished, since it died or Redis was away.
 *
 * @returns the number carried out
 * @throws the first error, after every sale was tried; those releases stay for the next round
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
