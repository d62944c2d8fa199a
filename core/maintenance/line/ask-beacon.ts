import { decideDraw, readAwaitingBeacon } from '../../postgres/draws/draws.js';
import { crashPoint } from '../../process/crash-point.js';
import { beaconFailed, beaconRead } from '../../process/telemetry.js';
import type { StepContext } from '../../steps/context.js';
import { type Beacon, BeaconError, beaconWords, readRound } from '../../steps/line/beacon.js';

/** A closed draw that waits for a round of its beacon. */
interface AwaitingDraw {
  saleId: string;
  valueSource: string;
  beaconRound: number;
}

/**
 * Lets the beacon decide the closed draws that wait for its value; the actor draw-lots then makes their order. It has rounds of its own,
 * so that a slow beacon holds up no other draw. A beacon that fails is reported, and is no failure of the round: these draws wait.
 *
 * @throws Postgres's error
 */
export async function askBeacon({ db, beacon }: Pick<StepContext, 'db' | 'beacon'>): Promise<void> {
  if (!beacon) return;
  for (const draw of await readAwaitingBeacon(db)) {
    try {
      const value = await announcedValueOf(beacon, draw);
      if (value === undefined) continue;
      await decideDraw(db, draw.saleId, { value, isSubstitute: false });
      beaconRead(draw.saleId, draw.beaconRound);
      await crashPoint('draw.decided');
    } catch (error) {
      if (!(error instanceof BeaconError)) throw error;
      beaconFailed(draw.saleId, error);
      // The next round asks it again, for all.
      if (error.isAway) return;
    }
  }
}

/**
 * Reads the value of a draw.
 *
 * @returns undefined while its round has not come
 * @throws BeaconError when the beacon gives no valid answer, or is another one than the draw has announced
 */
async function announcedValueOf(
  beacon: Beacon,
  { valueSource, beaconRound }: AwaitingDraw,
): Promise<string | undefined> {
  if (valueSource !== beaconWords(beacon, beaconRound)) {
    throw new BeaconError(`the draw has announced ${valueSource}, and DRAW_BEACON_URL is ${beacon.url}`);
  }
  return readRound(beacon, beaconRound);
}
