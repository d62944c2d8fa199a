import type { Draw } from '../../postgres/draws/draws.js';
import { type Beacon, BeaconError, beaconWords, readRound } from './beacon.js';

/**
 * Returns the public value of a draw as far as it is known without the operator: '' for a draw that uses none, and what the beacon says.
 *
 * @param beacon the beacon that this process may ask
 * @returns undefined while the value has not come
 * @throws BeaconError when the beacon gives no valid answer, or is another one than the draw has announced
 */
export async function publicValueOf(
  { valueSource, beaconRound }: Draw,
  beacon: Beacon | undefined,
): Promise<string | undefined> {
  if (valueSource === undefined) return '';
  if (beaconRound === undefined || beacon === undefined) return undefined;
  if (valueSource !== beaconWords(beacon, beaconRound)) {
    throw new BeaconError(`the draw has announced ${valueSource}, and DRAW_BEACON_URL is ${beacon.url}`);
  }
  return readRound(beacon, beaconRound);
}
