import { readDueReleases } from '../postgres/deliveries/due-releases.js';
import { crashPoint } from '../process/crash-point.js';
import type { StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { releaseUnits } from '../steps/release-units.js';
import { pages } from './pages.js';

/** Whoever wrote an event carries it out at once; it is left behind when it is older than this, in ms. */
const DELIVER_AFTER_MS = 1_000;

const DELIVER_BATCH = 500;

/**
 * Carries out the releases that Postgres decided and nobody finished: the process died, or Redis was away.
 *
 * @param ctx the stores
 * @returns how many it carried out
 * @throws what went wrong with the first that could not be carried out, once it was tried for all: NotVerified while a sale isn't
 *   verified, and what the stores throw; the events stay for the next run
 */
export async function deliverEvents(ctx: StepContext): Promise<number> {
  let delivered = 0;
  const undelivered = pages(DELIVER_BATCH, id => readDueReleases(ctx.db, DELIVER_AFTER_MS, DELIVER_BATCH, id));
  await inTurn(undelivered, async events => {
    await crashPoint('deliver.read');
    await releaseUnits(ctx, events);
    delivered += events.length;
  });
  return delivered;
}
