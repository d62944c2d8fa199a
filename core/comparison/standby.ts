import { LATE_FROM, STRUCK_FROM } from '../draw/lot.js';
import { type BuyerContent, type Facts, readBuyers, readFacts, standbyPages } from '../redis/sale/content.js';
import type { Shards } from '../redis/shards.js';
import { isLive } from '../rules/claim.js';

/**
 * Checks the standby list of a sale in Redis. Scripts change standby atomically, so a fault that is in one reading is real and needs
 * no second look.
 *
 * @returns the faults, one line of text each
 */
export async function standbyFaults(redis: Shards, saleId: string): Promise<string[]> {
  const faults: string[] = [];
  let ticketBefore = 0;
  for await (const page of standbyPages(redis, saleId)) {
    const buyers = await readBuyers(
      redis,
      saleId,
      page.map(({ buyerId }) => buyerId),
    );
    faults.push(...holderFaults(buyers));
    const { lastTicket, lastStruckTicket, line } = await readFacts(redis, saleId);
    const wrong = page.filter(({ ticket }, i) => {
      const before = page[i - 1]?.ticket ?? ticketBefore;
      // Two lots may be equal: then the ids of the buyers decide.
      const isSameLot = line === 'ordered' && ticket === before && ticket < LATE_FROM;
      return ticket > (ticket < STRUCK_FROM ? lastTicket : lastStruckTicket) || (ticket <= before && !isSameLot);
    });
    if (wrong.length > 0) faults.push(`line: no certain place in line: ${namesOf(wrong)}`);
    ticketBefore = page.at(-1)?.ticket ?? ticketBefore;
  }
  return [...faults, ...roomFaults(await readFacts(redis, saleId))];
}

const namesOf = (some: { buyerId: string }[]): string =>
  some
    .slice(0, 20)
    .map(({ buyerId }) => buyerId)
    .join(', ');

/** Finds buyers who are on standby and hold a claim at the same instant. */
export function holderFaults(buyers: readonly BuyerContent[]): string[] {
  return buyers.flatMap(({ buyerId, claim, ticket }) =>
    ticket !== undefined && claim && isLive(claim.status)
      ? [`I3 ${buyerId} is in line and holds the claim of unit ${claim.unit}`]
      : [],
  );
}

/** Buyers with strikes have as much room as all others, so that they take none of theirs. */
function roomFaults({ waiting, waitingBehind, standbyCap }: Facts): string[] {
  const counts = [waiting - waitingBehind, waitingBehind];
  return counts.flatMap(count => (count > standbyCap ? [`line: ${count} are in a line for ${standbyCap}`] : []));
}
