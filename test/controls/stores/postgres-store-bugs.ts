import { type Bug, one } from '../bug.js';

const CLIENT = 'core/postgres/connection/client.ts';
const LOCK = 'core/postgres/actor-lock.ts';

/** Bugs on the way to Postgres, and in what several processes share there. */
export const POSTGRES_STORE_BUGS: Bug[] = [
  one(
    'a statement behind a pooler has no time-outs',
    {
      file: CLIENT,
      find: 'return plain(new ConfiguredQuery(configureStatement(settings), { config: statement, values: own }, done));',
      replace: 'return plain(statement, own, done);',
    },
    { kind: 'stores', file: 'postgres-pooler', title: 'every statement and transaction has its settings' },
  ),
  one(
    'settings stay behind in the session of a pooler',
    {
      file: 'core/postgres/connection/settings.ts',
      find: '(value)}, true)`',
      replace: '(value)}, false)`',
    },
    { kind: 'stores', file: 'postgres-pooler', title: 'no setting is left for the next client' },
  ),
  one(
    'a connection that is lost while it is made ends the process',
    { file: CLIENT, find: "this.on('error', () => undefined);", replace: '' },
    { kind: 'stores', file: 'postgres-pooler', title: 'a pooler without a free connection costs a query' },
  ),
  one(
    'a lease that another process took a moment ago is taken over',
    { file: LOCK, find: '\n      WHERE actor_leases.until <= clock_timestamp()`', replace: '`' },
    { kind: 'integration', file: 'actors/actor-lock', title: 'of many processes that ask at once' },
  ),
  one(
    'the end of an overdue round ends the lease of its next holder',
    { file: LOCK, find: ' AND holder = ', replace: ' OR holder = ' },
    { kind: 'integration', file: 'actors/actor-lock', title: 'the end of an overdue round leaves the lease' },
  ),
  one(
    'only a worker with the settings of the webhook writes notices',
    {
      file: 'prisma/migrations/0018_shop_webhook/migration.sql',
      find: 'IF EXISTS (SELECT FROM "shop_webhook" WHERE "wanted_until" > clock_timestamp()) THEN',
      replace: 'IF false THEN',
    },
    { kind: 'integration', file: 'payments/tell-shop', title: 'a worker without the settings of the webhook' },
  ),
  one(
    'the message about a wrong DATABASE_URL shows a piece of its password',
    {
      file: 'core/values/postgres-address.ts',
      find: 'const advice = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;',
      replace: 'const advice = REFUSED[name] ?? name;',
    },
    { kind: 'unit', file: 'core/values/postgres-address', title: 'a password with' },
  ),
  one(
    'the number of a timeline of Postgres is read as a decimal one',
    {
      file: 'core/postgres/connection/writable.ts',
      find: 'Number.parseInt(row.timeline, 16)',
      replace: 'Number.parseInt(row.timeline, 10)',
    },
    { kind: 'stores', file: 'promotion/old-primary', title: 'of the timelines' },
  ),
  one(
    'any server with a certificate of a public authority is taken for Postgres',
    {
      file: 'core/postgres/connection/tls.ts',
      find: "sslmode === 'verify-full' || sslrootcert === SYSTEM;",
      replace: "sslmode === 'verify-full' && sslrootcert !== '';",
    },
    { kind: 'stores', file: 'postgres-tls', title: 'checks the name of the server with sslmode' },
  ),
];
