import { z } from 'zod';
import { CLAIM_STATUSES, ID_PATTERN } from '#core/rules/claim.js';

// Validators of the fields that several API endpoints read or answer with, under their names in JSON.

/** The id of a sale. */
export const saleId = z
  .string()
  .regex(ID_PATTERN, 'must be 1 to 64 letters, digits, - or _')
  .meta({ description: 'The sale', example: 'drop-1' });
/** The id of a claim, which is also the id of its order. */
export const claimId = z.uuid().meta({ description: 'The claim, and the order that is made of it' });
/** The number of a unit in its sale, from 1. */
export const unit = z.int().min(1).meta({ description: 'The number of the unit' });
/** The pause before the client's next poll, in ms. */
export const pollAfter = z.int().min(1).meta({ description: 'Ask again after this many ms' });
/** A buyer's position on standby, from 1. */
export const position = z.int().min(1).meta({ description: 'Position on standby, from 1' });
/** A point in time as ISO 8601 text in UTC. */
export const instant = z.iso.datetime().meta({ description: 'UTC' });
/** An amount of money in minor units of its currency. */
export const amountMinor = z.int().min(0).meta({ description: 'In minor units of the currency' });
/** The total that went back of an order's money. */
export const refundedMinor = z.int().min(0).meta({
  description: 'What went back of a paid order, in minor units. The order stays paid, and the unit is the buyer’s',
});
/** An ISO 4217 currency code. */
export const currency = z.string().meta({ example: 'EUR' });
/** The decimals of a currency's minor unit, so that a page need not know ISO 4217. */
export const digits = z
  .int()
  .min(0)
  .meta({ description: 'Decimals of the currency by ISO 4217: 4900 is 49.00 with two', example: 2 });

/** The status of a claim and its order. */
export const claimStatus = z.enum(CLAIM_STATUSES);

/** The status of a buyer in a sale, with or without a claim. */
export const status = z.enum(['none', 'joined', 'drawing', 'standby', ...claimStatus.options, 'closed']).meta({
  description:
    '`joined`: in a line whose order lots make at the opening. `drawing`: the sale has opened, and the order is being made. `closed`: was on standby when the sale ended',
});
/** The number of an entry in a draw, from 1 in the order of joining, with gaps. */
export const entry = z.int().min(1).meta({ description: 'The number of the entry. It says nothing about the order' });

/** The most characters of a receipt that are accepted. A receipt has 90 to 110. */
export const RECEIPT_CHARS_MAX = 200;

/** The path parameters of every endpoint about one sale. */
export const ofSale = z.object({ saleId });
