import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder `prisma/`: found upwards, because this file runs from core/orders and from dist/core/orders. */
export const prismaFolder = (): string => {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'prisma');
    if (existsSync(join(candidate, 'migrations'))) return candidate;
    if (folder === dirname(folder)) throw new Error(`no folder prisma/migrations above ${import.meta.dirname}`);
  }
};

/** The migrations in the form the schema engine wants, oldest first. */
export function readMigrations() {
  const baseDir = join(prismaFolder(), 'migrations');
  const lock = join(baseDir, 'migration_lock.toml');
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort();
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lock) ? readFileSync(lock, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: names.map(path => ({ path, migrationFile: readMigration(join(baseDir, path)) })),
  };
}

/** schema.prisma in the form the schema engine wants. */
export function readSchema() {
  const folder = prismaFolder();
  const path = join(folder, 'schema.prisma');
  return { configDir: folder, files: [{ path, content: readFileSync(path, 'utf8') }] };
}

function readMigration(folder: string) {
  const content = readFileSync(join(folder, 'migration.sql'), 'utf8');
  return { path: 'migration.sql', content: { tag: 'ok' as const, value: content } };
}
