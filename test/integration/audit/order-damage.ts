import { Prisma } from '#core/postgres/database.js';
import type { GoodMoney } from '../../support/money/good-money.js';
import { ago, copy, type Damage, order, payment, without } from './damage.js';

const UNIT_TWICE = 'I2 a unit has more than one live order';
const UNIT_OUTSIDE = 'I2 a live order has a unit outside 1..N';
const BUYER_TWICE = 'I3 a buyer has more than one live order';
const CROWDED = 'a group has more live orders than it may';
const OVERDUE = 'I6 an order is 15 s past its deadline';
const OLD_RELEASE = 'I6 a release is 15 s old';

const BEYOND = Prisma.sql`(SELECT units + 1 FROM sales WHERE id = sale_id)`;

const releases = ({ sale }: GoodMoney, change: Prisma.Sql) =>
  Prisma.sql`UPDATE outbox_events SET ${change} WHERE id = (SELECT min(id) FROM outbox_events WHERE sale_id = ${sale.id})`;

const perGroup = ({ sale }: GoodMoney, units: number) =>
  Prisma.sql`UPDATE sales SET per_group = ${units} WHERE id = ${sale.id}`;
const ofHome = Prisma.sql`buyer_group = 'home'`;

/** Damage for each rule about orders, and neighbours of it that break none. */
export const ORDER_DAMAGE: Damage[] = [
  {
    text: 'a unit is paid, and to be paid by another buyer',
    broken: { [UNIT_TWICE]: 1 },
    statements: made => [
      without('index', 'orders_live_unit'),
      copy(made, 'kept', { status: 'pending_payment', buyer: 'second' }),
    ],
  },
  {
    text: 'a unit was given up by another buyer',
    broken: {},
    statements: made => [copy(made, 'kept', { status: 'void', buyer: 'second' })],
  },
  {
    text: 'a buyer has paid, and is to pay another unit',
    broken: { [BUYER_TWICE]: 1 },
    statements: made => [
      without('index', 'orders_live_buyer'),
      copy(made, 'kept', { status: 'pending_payment', unit: Prisma.sql`(SELECT units FROM sales WHERE id = sale_id)` }),
    ],
  },
  {
    text: 'a live order has the unit after the last one',
    broken: { [UNIT_OUTSIDE]: 1 },
    statements: made => [copy(made, 'kept', { status: 'pending_payment', buyer: 'second', unit: BEYOND })],
  },
  {
    text: 'a live order has unit 0',
    broken: { [UNIT_OUTSIDE]: 1 },
    statements: made => [
      without('constraint', 'orders_unit_check', 'orders'),
      copy(made, 'kept', { status: 'pending_payment', buyer: 'second', unit: Prisma.sql`0` }),
    ],
  },
  {
    text: 'a live order has the last unit, and one that was given up a later one',
    broken: {},
    statements: made => [
      copy(made, 'kept', {
        status: 'pending_payment',
        buyer: 'second',
        unit: Prisma.sql`(SELECT units FROM sales WHERE id = sale_id)`,
      }),
      copy(made, 'kept', { status: 'void', buyer: 'third', unit: BEYOND }),
    ],
  },
  {
    text: 'two of a group have a live order, and one is allowed',
    broken: { [CROWDED]: 1 },
    statements: made => [perGroup(made, 1), order(made, 'kept', ofHome), order(made, 'unpaid', ofHome)],
  },
  {
    text: 'two of a group have a live order, and two are allowed',
    broken: {},
    statements: made => [perGroup(made, 2), order(made, 'kept', ofHome), order(made, 'unpaid', ofHome)],
  },
  {
    text: 'two of a group have a live order, in a sale without a limit',
    broken: {},
    statements: made => [order(made, 'kept', ofHome), order(made, 'unpaid', ofHome)],
  },
  {
    text: 'two of a group have an order, and one of these has ended',
    broken: {},
    statements: made => [
      perGroup(made, 1),
      order(made, 'kept', ofHome),
      copy(made, 'kept', { status: 'void', buyer: 'second' }),
    ],
  },
  {
    text: 'an order is 15 s past its deadline, and another payment has time',
    broken: { [OVERDUE]: 1 },
    statements: made => [
      order(made, 'unpaid', Prisma.sql`pay_by = ${ago(15_000)}`),
      payment(made, 'open', Prisma.sql`waited_ms = 60000`),
    ],
  },
  {
    text: 'an order is 14.999 s past its deadline, and a paid one 20 s',
    broken: {},
    statements: made => [
      order(made, 'unpaid', Prisma.sql`pay_by = ${ago(14_999)}`),
      order(made, 'kept', Prisma.sql`pay_by = ${ago(20_000)}`),
    ],
  },
  {
    text: 'the time to pay of a click that waited is over for 15 s',
    broken: { [OVERDUE]: 1 },
    statements: made => [
      order(made, 'open', Prisma.sql`pay_by = ${ago(17_000)}`),
      payment(made, 'open', Prisma.sql`waited_ms = 2000`),
    ],
  },
  ...(['requested', 'open'] as const).map(
    (status): Damage => ({
      text: `the time to pay of a click that waited is over for 14.999 s, and its payment is ${status}`,
      broken: {},
      statements: made => [
        order(made, 'open', Prisma.sql`pay_by = ${ago(17_000)}`),
        payment(made, 'open', Prisma.sql`waited_ms = 2001, status = ${status}`),
      ],
    }),
  ),
  {
    text: 'the time to pay of a click that waited goes on, and its payment has failed',
    broken: { [OVERDUE]: 1 },
    statements: made => [
      order(made, 'open', Prisma.sql`pay_by = ${ago(17_000)}`),
      payment(made, 'open', Prisma.sql`waited_ms = 60000, status = 'failed'`),
    ],
  },
  {
    text: 'a release is 15.001 s old',
    broken: { [OLD_RELEASE]: 1 },
    statements: made => [releases(made, Prisma.sql`delivered_at = NULL, created_at = ${ago(15_001)}`)],
  },
  {
    text: 'a release is 15 s old',
    broken: {},
    statements: made => [releases(made, Prisma.sql`delivered_at = NULL, created_at = ${ago(15_000)}`)],
  },
  {
    text: 'a release was carried out',
    broken: {},
    statements: made => [releases(made, Prisma.sql`delivered_at = clock_timestamp(), created_at = ${ago(60_000)}`)],
  },
  {
    text: 'a notice for the shop waits',
    broken: {},
    statements: made => [
      releases(made, Prisma.sql`kind = 'order.paid', delivered_at = NULL, created_at = ${ago(60_000)}`),
    ],
  },
];
