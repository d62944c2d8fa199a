import { setTimeout } from 'node:timers/promises';
import type { Stage } from './buyer.js';
import type { Crowd, CrowdReport } from './crowd.js';
import { type Progress, wordsFor } from './progress.js';

const LOOK_EVERY_MS = 200;
/** A buyer in one of these stages will soon have another answer, and may give a unit back. */
const ON_THEIR_WAY: Stage[] = ['coming', 'asking', 'joined', 'drawing', 'queued', 'pending_payment'];

/** A crowd, and its help while all of its unfinished buyers are on standby: without help they would never finish. */
export interface Guided {
  crowd: Crowd;
  /** Called again and again meanwhile. */
  onlyStandby(): Promise<void>;
}

/** Shows the progress of crowds together until the end of all. */
export async function showCrowds(crowds: readonly Guided[], progress: Progress): Promise<CrowdReport[]> {
  let reports: CrowdReport[] | undefined;
  const finished = Promise.all(crowds.map(({ crowd }) => crowd.finished)).then(results => {
    reports = results;
  });
  while (!reports) {
    await Promise.race([finished, setTimeout(LOOK_EVERY_MS)]);
    progress.show(wordsFor(sumOf(crowds.map(({ crowd }) => crowd.stages()))));
    await Promise.all(crowds.filter(isOnStandby).map(({ onlyStandby }) => onlyStandby()));
  }
  progress.end();
  return reports;
}

function isOnStandby({ crowd }: Guided): boolean {
  const stages = crowd.stages();
  return stages.standby !== undefined && !ON_THEIR_WAY.some(stage => stages[stage]);
}

function sumOf(all: readonly Partial<Record<Stage, number>>[]): Partial<Record<Stage, number>> {
  const sum: Partial<Record<Stage, number>> = {};
  for (const stages of all) {
    for (const [stage, count] of Object.entries(stages) as [Stage, number][]) sum[stage] = (sum[stage] ?? 0) + count;
  }
  return sum;
}

/** Shows the progress of one crowd as {@link showCrowds} does. */
export async function showCrowd(
  crowd: Crowd,
  progress: Progress,
  onlyStandby: () => Promise<void>,
): Promise<CrowdReport> {
  const [report] = await showCrowds([{ crowd, onlyStandby }], progress);
  return report as CrowdReport;
}
