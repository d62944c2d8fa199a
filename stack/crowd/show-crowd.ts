import { setTimeout } from 'node:timers/promises';
import type { Stage } from './buyer.js';
import type { Crowd, CrowdReport } from './crowd.js';
import { type Progress, wordsFor } from './progress.js';

const LOOK_EVERY_MS = 200;
/** A buyer in one of these stages will soon have another answer, and may give a unit back. */
const ON_THEIR_WAY: Stage[] = ['coming', 'asking', 'queued', 'pending_payment'];

/**
 * Shows the progress of a crowd until its end.
 *
 * @param onlyStandby is called again and again while all unfinished buyers are on standby: without help they would never finish
 */
export async function showCrowd(
  crowd: Crowd,
  progress: Progress,
  onlyStandby: () => Promise<void>,
): Promise<CrowdReport> {
  let report: CrowdReport | undefined;
  const finished = crowd.finished.then(result => {
    report = result;
  });
  while (!report) {
    await Promise.race([finished, setTimeout(LOOK_EVERY_MS)]);
    const stages = crowd.stages();
    progress.show(wordsFor(stages));
    if (!report && stages.standby && !ON_THEIR_WAY.some(stage => stages[stage])) await onlyStandby();
  }
  progress.end();
  return report;
}
