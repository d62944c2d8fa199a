import { LATE_FROM } from '../../draw/lot.js';

/** The tickets of buyers with strikes begin here, above those of everybody else (lua/include/holding/strikes.lua). */
export const STRUCK_FROM = 2 ** 52 + 2 ** 51;

/**
 * Returns the number that a buyer drew for their ticket when joining standby.
 *
 * @param first where the numbers of the sale begin: at {@link LATE_FROM} in a line that buyers join before the opening
 */
export function numberOf(ticket: number, first: number): number {
  return ticket < STRUCK_FROM ? ticket : ticket - STRUCK_FROM + first;
}
