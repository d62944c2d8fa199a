import { type Bug, lua, one } from './bug.js';

const DRAW_LOTS = 'core/maintenance/line/draw-lots.ts';
const ENTRIES = 'core/postgres/draws/entries.ts';
const draws = (title: string) => ({ kind: 'integration', file: 'draws/draws', title }) as const;
const order = (title: string) => ({ kind: 'integration', file: 'draws/order', title }) as const;
const receipts = (title: string) => ({ kind: 'integration', file: 'draws/receipts', title }) as const;
const clock = (title: string) => ({ kind: 'integration', file: 'draws/clock', title }) as const;

/** Bugs in the line that buyers join before the opening, and in its order. */
export const DRAW_BUGS: Bug[] = [
  {
    bug: 'a draw closes before its entries are in Postgres',
    edits: [
      {
        file: DRAW_LOTS,
        find: '  await keepEntries(ctx, saleId);\n  await noteMissing(ctx, saleId);\n  const { isVerified, hasOpened, unstored } =',
        replace: '  void keepEntries;\n  void noteMissing;\n  const { isVerified, hasOpened } =',
      },
      { file: DRAW_LOTS, find: 'isVerified && hasOpened && unstored === 0', replace: 'isVerified && hasOpened' },
    ],
    caughtBy: draws('leaving and joining again gives the same number and the same lot'),
  },
  one(
    'an entry is stored without the count of its change',
    { file: ENTRIES, find: '      WHERE e.change < excluded.change\n', replace: '' },
    draws('a worker that stood still overwrites no later change of an entry'),
  ),
  one(
    'a draw is closed while entries are being stored',
    { file: ENTRIES, find: ' FOR SHARE', replace: '' },
    order('the list is closed only before or after entries are stored'),
  ),
  one(
    'an entry after the close joins the published list',
    { file: ENTRIES, find: 'n.is_waiting AND draw.is_open', replace: 'n.is_waiting' },
    clock('an entry that a clock which was set back lets in after the close'),
  ),
  one(
    'an entry that a dead worker has stored gets no lot',
    { file: ENTRIES, find: 'WHERE e.change >= n.change AND', replace: 'WHERE e.change < 0 AND' },
    receipts('an entry that comes back gets its lot'),
  ),
  one(
    'units of a draw are given before the order is made',
    { file: lua('include/window'), find: " or draw == 'joining'", replace: '' },
    order('no unit is given before the order is made'),
  ),
  one(
    'a draw gives buyers after the opening tickets among the lots',
    {
      file: lua('include/clicks/join-line'),
      find: 'late, ticket = late + 1, late + 1',
      replace: 'late, ticket = late + 1, 1',
    },
    order('a buyer who comes after the opening gets a ticket above every lot'),
  ),
  one(
    'a rebuild forgets the entries of a draw',
    {
      file: 'core/maintenance/merge.ts',
      find: '    await this.#takeEntries();\n',
      replace: '    void this.#takeEntries;\n',
    },
    draws('a lost Redis loses no entry that Postgres has'),
  ),
  one(
    'a receipt brings no entry of a draw back',
    { file: lua('restore-entry'), find: 'if not is_claimed then', replace: 'if false then' },
    draws('a receipt brings back an entry that nobody else has'),
  ),
  one(
    'a receipt leaves a buyer of a draw behind the entries',
    {
      file: lua('restore-entry'),
      find: "redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])",
      replace: "redis.call('ZADD', KEYS[4], 'NX', ARGV[2], ARGV[1])",
    },
    receipts('a buyer who has joined again behind the others gets the lot of the receipt'),
  ),
  one(
    'a lot of a draw depends on the number of the entry',
    {
      file: 'core/maintenance/line/line.ts',
      find: 'return this.#lotOf(buyerId);',
      replace: 'return this.#lotOf(buyerId + ticket);',
    },
    draws('the units go to the first buyers of the order that lots make'),
  ),
  one(
    'a second value decides a draw',
    {
      file: 'prisma/migrations/0031_draws/migration.sql',
      find: 'CREATE TRIGGER "draws_kept" BEFORE UPDATE ON "draws" FOR EACH ROW EXECUTE FUNCTION "keep_draw"();\n',
      replace: '',
    },
    draws('the first public value decides, and never another one'),
  ),
  one(
    'a value is taken for a draw that has one',
    {
      file: 'core/postgres/draws/draws.ts',
      find: 'root IS NOT NULL AND decided_at IS NULL`',
      replace: 'root IS NOT NULL`',
    },
    draws('the first public value decides, and never another one'),
  ),
  one(
    'a draw counts as dealt although Redis refused the units',
    { file: DRAW_LOTS, find: '.hasOpened) return;', replace: '.isVerified) return;' },
    clock('a clock that was set back before the units were offered only delays them'),
  ),
];
