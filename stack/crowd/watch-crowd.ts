import { setTimeout } from 'node:timers/promises';
import type { Stage } from './buyer.js';
import type { Crowd, CrowdReport } from './crowd.js';
import { type Progress, wordsFor } from './progress.js';

const LOOK_EVERY_MS = 200;
/** Whoever is in one of these will have another answer soon, and units may come back by it. */
const ON_THEIR_WAY: Stage[] = ['coming', 'asking', 'queued', 'pending_payment'];

/**
 * Shows how a crowd fares until its end.
 *
 * @param crowd on its way
 * @param progress where it is shown
 * @param onlyWaiting called again and again while nobody is left but buyers on standby: they would wait for ever
 * @returns what it lived through
 */
export async function watchCrowd(
  crowd: Crowd,
  progress: Progress,
  onlyWaiting: () => Promise<void>,
): Promise<CrowdReport> {
  let report: CrowdReport | undefined;
  const finished = crowd.finished.then(result => {
    report = result;
  });
  while (!report) {
    await Promise.race([finished, setTimeout(LOOK_EVERY_MS)]);
    const stages = crowd.stages();
    progress.show(wordsFor(stages));
    if (!report && stages.standby && !ON_THEIR_WAY.some(stage => stages[stage])) await onlyWaiting();
  }
  progress.end();
  return report;
}
