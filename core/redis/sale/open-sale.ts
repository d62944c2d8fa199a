import { STRUCK_FROM } from '../../draw/lot.js';
import { isLive } from '../../rules/claim.js';
import type { Sale } from '../../rules/sale.js';
import type { LineFields } from '../draw/entries.js';
import type { Shards } from '../shards.js';
import { dealt } from './dealing.js';
import { type BuyerClaim, Staging } from './staging.js';
import { Units } from './units.js';

/** A restart of Redis, or a move of its keys, makes the staged content worthless. More than that is no coincidence. */
const OPEN_TRIES = 3;

/** The buyers with which a sale is loaded into Redis; a new sale has none. */
export interface StartingState {
  claims: BuyerClaim[];
  /** The claims that have no order yet, each with the time of its win in ms. */
  outbox: { buyerId: string; wonAtMs: number }[];
  /** The ids of the buyers on standby, first one first. */
  standby: string[];
  /** Those of buyers with strikes, who stand behind. */
  behind?: string[];
}

const NOTHING: StartingState = { claims: [], outbox: [], standby: [] };

/**
 * How a sale is opened. `gate` is the token that the caller wrote as the sale's run id, so that scripts refuse the sale
 * meanwhile.
 */
export interface Opening {
  state?: StartingState | undefined;
  gate?: string | undefined;
  /** Of a sale that buyers join before the opening. */
  line?: LineFields | undefined;
}

/**
 * Loads a sale into Redis and marks it as verified for this run of Redis, so that scripts use it. Any earlier content
 * is replaced.
 *
 * @returns false when another process has opened or changed the sale since: then nothing changed
 * @throws Error when Redis restarts repeatedly meanwhile; ioredis's error
 */
export async function openSale(
  redis: Shards,
  sale: Sale,
  { state = NOTHING, gate = '', line }: Opening = {},
): Promise<boolean> {
  for (let attempt = 0; attempt < OPEN_TRIES; attempt += 1) {
    const staging = await Staging.begin(redis, sale);
    if (!staging) continue;
    try {
      await stage(staging, sale, state);
      const outcome = await staging.open(sale, gate, line);
      if (outcome !== 'restarted') return outcome === 'opened';
    } finally {
      await staging.discard();
    }
  }
  throw new Error(`sale ${sale.id} could not be loaded: Redis restarts while it is staged`);
}

/** Prepares a sale. Units are free unless a live claim has them. */
async function stage(
  staging: Staging,
  sale: Sale,
  { claims, outbox, standby, behind = [] }: StartingState,
): Promise<void> {
  const units = new Units(sale.units);
  for (const { unit, claimId, status } of claims) if (isLive(status)) units.hold(unit, claimId);
  await staging.putStock(dealt(units, sale.unitSeed));
  await staging.putClaims(claims);
  await staging.putUnplaced(outbox);
  await staging.putStandby(standby.map((buyerId, i) => ({ buyerId, ticket: i + 1 })));
  await staging.putStandby(behind.map((buyerId, i) => ({ buyerId, ticket: STRUCK_FROM + i + 1 })));
}
