// Migrates a database by a folder of migrations, in a separate process that a test can kill.
import { migrate } from '#core/postgres/migrate/migrate.js';

const [url = '', folder = ''] = process.argv.slice(2);
await migrate(url, folder);
