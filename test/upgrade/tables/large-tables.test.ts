import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { readFrom } from '../rig/from.js';
import { prepareOldTree } from '../rig/old-tree.js';
import { cli } from '../rig/version.js';
import { fillLargeTables, WRITES } from './large-tables.js';
import { whileWriting } from './steady-writer.js';

/** Filling four tables takes minutes on a busy machine, in ms. */
const FILL_MS = 600_000;

/** Nobody who buys or pays is held for longer than this, in ms. */
const HELD_MAX_MS = 1_000;

/** An index that takes some seconds to build, on any machine: each row costs hundreds of hashes. */
const SLOW_INDEX = `ON orders (md5(repeat(buyer_id, 200)))`;

let folder: string;
let postgres: PostgresServer;

beforeAll(async () => {
  const old = { name: 'old', folder: await prepareOldTree(await readFrom()) } as const;
  folder = await createTemporaryFolder();
  postgres = await startPostgres({ dir: join(folder, 'postgres') });
  await cli(old, ['migrate'], { DATABASE_URL: postgres.url });
  await connected(fillLargeTables);
}, FILL_MS);

afterAll(async () => {
  await postgres?.stop();
  await removeTemporaryFolder(folder);
});

/** Without any deadline: what takes long here does so on purpose. */
async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const sql = (statement: string) => connected(client => client.query(statement));

test('no migration since then holds a writer for a second at 1,000,000 rows', async () => {
  const { heldMs } = await whileWriting(postgres.url, WRITES, () => migrate(postgres.url));
  expect(heldMs).toBeLessThan(HELD_MAX_MS);
});

test('an index that is built in one go is seen to hold writers', async () => {
  const { heldMs } = await whileWriting(postgres.url, WRITES, () => sql(`CREATE INDEX in_one_go ${SLOW_INDEX}`));
  expect(heldMs).toBeGreaterThan(HELD_MAX_MS);
});

test('an index that is built beside the writers is seen to hold none', async () => {
  const build = () => sql(`CREATE INDEX CONCURRENTLY beside ${SLOW_INDEX}`);
  const { writes, heldMs } = await whileWriting(postgres.url, WRITES, build);
  expect(heldMs).toBeLessThan(HELD_MAX_MS);
  expect(writes).toBeGreaterThan(WRITES.length);
});
