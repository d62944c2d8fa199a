import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../process/checkout.js';

const FOLDER = join(checkout, 'prisma', 'migrations');
const LOCK = 'migration_lock.toml';

/** @returns the migrations in the form the schema engine wants, oldest first */
export function readMigrations() {
  const names = readdirSync(FOLDER, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort();
  return {
    baseDir: FOLDER,
    lockfile: { path: LOCK, content: readFileSync(join(FOLDER, LOCK), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: names.map(path => ({ path, migrationFile: readMigration(path) })),
  };
}

function readMigration(name: string) {
  const content = readFileSync(join(FOLDER, name, 'migration.sql'), 'utf8');
  return { path: 'migration.sql', content: { tag: 'ok' as const, value: content } };
}
