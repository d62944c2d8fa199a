import type { Snapshot } from '../redis/sale/snapshot.js';
import { isLive } from '../rules/claim.js';

/**
 * Checks the standby list of a sale in Redis. Scripts change standby atomically, so a fault in one snapshot is real and
 * needs no second look.
 *
 * @returns the faults, one line of text each
 */
export function standbyFaults({ standby, tickets, lastTicket, standbyCap, claims }: Snapshot): string[] {
  const faults: string[] = [];
  for (const buyerId of standby) {
    const claim = claims.get(buyerId);
    if (claim && isLive(claim.status))
      faults.push(`I3 ${buyerId} is in line and holds the claim of unit ${claim.unit}`);
  }
  if (standby.length > standbyCap) faults.push(`line: ${standby.length} are in a line for ${standbyCap}`);
  const isWrong = (ticket: number, i: number) => ticket > lastTicket || ticket <= (tickets[i - 1] ?? 0);
  const wrong = standby.filter((_, i) => isWrong(tickets[i] ?? 0, i));
  if (wrong.length > 0) faults.push(`line: no certain place in line: ${wrong.slice(0, 20).join(', ')}`);
  return faults;
}
