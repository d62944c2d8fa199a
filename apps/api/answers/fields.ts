import { z } from 'zod';
import { CLAIM_STATUSES, ID_PATTERN } from '#core/rules/claim.js';

// Fields that several endpoints take or give, by their name in JSON.

/** The id of a sale. */
export const saleId = z
  .string()
  .regex(ID_PATTERN, 'must be 1 to 64 letters, digits, - or _')
  .meta({ description: 'The sale', example: 'drop-1' });
/** The id of a claim and of its order. */
export const claimId = z.uuid().meta({ description: 'The claim, and the order that is made of it' });
/** The number of a unit. */
export const unit = z.int().min(1).meta({ description: 'The number of the unit' });
/** The pause before the next poll, in ms. */
export const pollAfter = z.int().min(1).meta({ description: 'Ask again after this many ms' });
/** A position on standby. */
export const position = z.int().min(1).meta({ description: 'Position on standby, from 1' });
/** A moment, ISO 8601 in UTC. */
export const instant = z.iso.datetime().meta({ description: 'UTC' });
/** An amount in minor units. */
export const amountMinor = z.int().min(0).meta({ description: 'In minor units of the currency' });
/** An ISO 4217 code. */
export const currency = z.string().meta({ example: 'EUR' });

/** The status of a claim. */
export const claimStatus = z.enum(CLAIM_STATUSES);

/** The status of a buyer in a sale. */
export const status = z
  .enum(['none', 'standby', ...claimStatus.options, 'closed'])
  .meta({ description: '`closed`: was on standby when the sale ended' });

/** The path parameters of a call about one sale. */
export const ofSale = z.object({ saleId });
