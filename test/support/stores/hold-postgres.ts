// A process that starts a Postgres with a migrated database and prints its URL. The process stops Postgres when its standard
// input ends: at the end of the tests, and also when the parent was killed.
import { join } from 'node:path';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { startPostgres } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

const folder = await createTemporaryFolder();
const postgres = await startPostgres({ dir: join(folder, 'postgres') });
await migrate(postgres.url);
process.stdout.write(`${postgres.url}\n`);
process.stdin.resume();
process.stdin.once('end', async () => {
  await postgres.stop();
  await removeTemporaryFolder(folder);
});
