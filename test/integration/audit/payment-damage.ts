import { Prisma } from '#core/postgres/database.js';
import { PART, PRICE } from '../../support/payments.js';
import { ago, another, type Damage, dispute, order, payment, transfer } from './damage.js';
import { TAKEN_WRONG } from './money-damage.js';

const NONE_KEPT = 'I5 a paid order has no payment that is kept';
const KEPT_UNPAID = 'I5 a payment is kept, and its order is not paid';
const PARTS_DIFFER = 'I5 a payment and its order differ in what went back';
const MORE_THAN_TAKEN = 'I5 more of a payment goes back than was taken';
const NOT_PLANNED = 'I5 a refund is owed, and no attempt is planned';
const NOT_OWED = 'I5 a refund is planned, and none is owed';
const DISPUTES = 'I5 what disputes withhold is not what is booked';
const UNDECIDED = 'I5 late money is 60 s undecided';

const PLANNED = Prisma.sql`refund_at = clock_timestamp()`;

/** Builds what an older version leaves of a payment whose money goes back: the status alone. */
const OLDER = Prisma.sql`refund_minor = 0, returned_minor = 0`;

/** Damage for each rule about payments and disputes, and neighbours of it that break none. */
export const PAYMENT_DAMAGE: Damage[] = [
  {
    text: 'a paid payment is about 1 more than its order was captured for',
    broken: { [TAKEN_WRONG]: 1 },
    statements: made => [payment(made, 'kept', Prisma.sql`amount_minor = amount_minor + 1`)],
  },
  {
    text: 'a refunded order has two captures that make its price',
    broken: { [TAKEN_WRONG]: 1 },
    statements: made => [
      transfer(made, ['back', 'capture'], Prisma.sql`amount_minor = ${PRICE - 1}`),
      another(made, 'back', { kind: 'capture', amountMinor: 1 }),
    ],
  },
  {
    text: 'a paid order was refunded whole',
    broken: { [NONE_KEPT]: 1 },
    statements: made => [payment(made, 'kept', Prisma.sql`status = 'refunded'`)],
  },
  {
    text: 'a paid order is to be refunded whole',
    broken: { [NONE_KEPT]: 1 },
    statements: made => [payment(made, 'kept', Prisma.sql`status = 'refund_due', ${PLANNED}`)],
  },
  {
    text: 'an order is refunded whole, and its payment says that it is paid',
    broken: { [KEPT_UNPAID]: 1 },
    statements: made => [
      order(made, 'kept', Prisma.sql`status = 'refunded', reason = 'refunded_by_shop'`),
      another(made, 'kept', { kind: 'refund', amountMinor: PRICE - PART }),
      payment(made, 'kept', Prisma.sql`refund_minor = ${PRICE}, returned_minor = ${PRICE}`),
    ],
  },
  {
    text: 'more of a payment went back than of its order',
    broken: { [PARTS_DIFFER]: 1 },
    statements: made => [
      payment(made, 'kept', Prisma.sql`refund_minor = refund_minor + 1, returned_minor = returned_minor + 1`),
    ],
  },
  {
    text: 'a provider returned more than it took',
    broken: { [MORE_THAN_TAKEN]: 1 },
    statements: made => [payment(made, 'kept', Prisma.sql`returned_minor = ${PRICE + 1}`)],
  },
  {
    text: 'more is to go back of undecided money than was taken',
    broken: { [MORE_THAN_TAKEN]: 1 },
    statements: made => [payment(made, 'undecided', Prisma.sql`refund_minor = ${PRICE + 1}`)],
  },
  {
    text: 'a provider returned more of another amount than it took of it',
    broken: { [MORE_THAN_TAKEN]: 1 },
    statements: made => [payment(made, 'otherAmount', Prisma.sql`returned_minor = 2`)],
  },
  {
    text: 'a whole refund is not planned',
    broken: { [NOT_PLANNED]: 1 },
    statements: made => [payment(made, 'due', Prisma.sql`refund_at = NULL`)],
  },
  {
    text: 'a part of a refund is not planned',
    broken: { [NOT_PLANNED]: 1 },
    statements: made => [payment(made, 'kept', Prisma.sql`returned_minor = returned_minor - 1`)],
  },
  {
    text: 'a part of undecided money is to go back, which the decision plans',
    broken: {},
    statements: made => [payment(made, 'undecided', Prisma.sql`refund_minor = 1`)],
  },
  {
    text: 'an older version began a whole refund, and made others',
    broken: {},
    statements: made => (['due', 'back', 'intoWallet', 'byBank'] as const).map(way => payment(made, way, OLDER)),
  },
  {
    text: 'a refund went into the wallet and went back at the provider, too',
    broken: {},
    statements: made => [payment(made, 'intoWallet', Prisma.sql`returned_minor = ${PRICE}`)],
  },
  ...(['kept', 'onTop', 'refusedPart', 'back', 'byBank'] as const).map(
    (way): Damage => ({
      text: `nothing is owed of the payment '${way}', and a refund is planned`,
      broken: { [NOT_OWED]: 1 },
      statements: made => [payment(made, way, PLANNED)],
    }),
  ),
  {
    text: 'a lost dispute gave back all of the money in another currency, and a refund is planned',
    broken: { [NOT_OWED]: 1 },
    statements: made => [
      payment(
        made,
        'otherAmount',
        Prisma.sql`status = 'refund_due', returned_minor = 0, ${PLANNED}, mismatch = mismatch || '{"currency":"JPY"}'`,
      ),
      dispute(made, 'otherAmount', { status: 'lost', currency: 'JPY' }),
    ],
  },
  ...(['dispute', 'dispute_reversal'] as const).map(
    (kind): Damage => ({
      text: `the transfer '${kind}' is 1 more than the bank moved`,
      broken: { [DISPUTES]: 1 },
      statements: made => [transfer(made, ['onTop', kind], Prisma.sql`amount_minor = amount_minor + 1`)],
    }),
  ),
  ...(['kept', 'lateBack'] as const).flatMap(way =>
    (['open', 'lost'] as const).map(
      (status): Damage => ({
        text: `a dispute about the payment '${way}' is ${status}, and nothing is booked`,
        broken: { [DISPUTES]: 1 },
        statements: made => [dispute(made, way, { status })],
      }),
    ),
  ),
  ...[{ status: 'inquiry' }, { status: 'won' }, { status: 'open', currency: 'JPY' }].map(
    (wanted): Damage => ({
      text: `a dispute is ${Object.values(wanted).join(' in ')}, which withholds nothing of the money`,
      broken: {},
      statements: made => [dispute(made, 'kept', wanted)],
    }),
  ),
  ...(['otherAmount', 'undecided', 'open'] as const).map(
    (way): Damage => ({
      text: `a dispute about the payment '${way}' is open, of which nothing is booked`,
      broken: {},
      statements: made => [dispute(made, way, { status: 'open' })],
    }),
  ),
  {
    text: 'late money is undecided for 60.001 s',
    broken: { [UNDECIDED]: 1 },
    statements: made => [payment(made, 'undecided', Prisma.sql`updated_at = ${ago(60_001)}`)],
  },
  {
    text: 'late money is undecided for 60 s, and other money has not changed for an hour',
    broken: {},
    statements: made => [
      payment(made, 'undecided', Prisma.sql`updated_at = ${ago(60_000)}`),
      payment(made, 'kept', Prisma.sql`updated_at = ${ago(3_600_000)}`),
    ],
  },
];
