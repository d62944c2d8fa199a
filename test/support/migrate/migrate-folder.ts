// A process of its own that migrates a database by a folder of migrations, so that a test can kill it.
import { migrate } from '#core/postgres/migrate/migrate.js';

const [url = '', folder = ''] = process.argv.slice(2);
await migrate(url, folder);
