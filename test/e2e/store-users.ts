import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { checkout } from '#core/process/checkout.js';
import type { PrivateStores } from '#stack/stores/private-stores.js';

/** The password of the stores' users. No log may show it. */
export const PASSWORD = 'canary-password-of-the-stores';

/** The URLs of the stores for a process. */
export interface StoreUrls {
  redisUrl: string;
  databaseUrl: string;
}

/** Reads a part of docs/operations.md: one line of redis.conf, or a block of SQL. */
async function documented(pattern: RegExp): Promise<string> {
  const found = pattern.exec(await readFile(join(checkout, 'docs/operations.md'), 'utf8'))?.[1];
  if (!found) throw new Error(`docs/operations.md has no ${pattern}`);
  return found.replace(/(?<=>|')PASSWORD/, PASSWORD);
}

/**
 * Creates the users of docs/operations.md, by the very lines of that document.
 *
 * @param stores with the URLs of their owners
 * @returns the URLs of the new users, which have the least rights
 */
export async function grantLeastRights({ redisUrl, databaseUrl }: PrivateStores): Promise<StoreUrls> {
  await createRedisUser(redisUrl);
  await migrate(databaseUrl);
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(await documented(/```sql\n(CREATE ROLE [^`]*)```/));
  await owner.end();
  return { redisUrl: loggedIn(redisUrl, 'dropline'), databaseUrl: loggedIn(databaseUrl, 'dropline_app') };
}

/** Creates the user of the processes. Redis forgets the user with every restart. */
export async function createRedisUser(redisUrl: string): Promise<void> {
  const rights = (await documented(/^user (dropline .*)$/m)).split(' ');
  const redis = new Redis(redisUrl);
  await redis.call('ACL', 'SETUSER', ...rights);
  redis.disconnect();
}

function loggedIn(url: string, user: string): string {
  const own = new URL(url);
  own.username = user;
  own.password = PASSWORD;
  return own.href;
}
