import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { checkout } from '#core/process/checkout.js';
import type { PrivateStores } from '#stack/stores/private-stores.js';

/** What a user of a store may log in with; it must not be seen anywhere. */
export const PASSWORD = 'canary-password-of-the-stores';

/** Where a process finds the stores. */
export interface StoreUrls {
  redisUrl: string;
  databaseUrl: string;
}

/** What docs/operations.md tells operators to set up: a line of redis.conf, and a block of SQL. */
async function documented(pattern: RegExp): Promise<string> {
  const found = pattern.exec(await readFile(join(checkout, 'docs/operations.md'), 'utf8'))?.[1];
  if (!found) throw new Error(`docs/operations.md has no ${pattern}`);
  return found.replace(/(?<=>|')PASSWORD/, PASSWORD);
}

/**
 * Sets the users up that docs/operations.md describes, by the very lines that stand there.
 *
 * @param stores with their owners' URLs
 * @returns the URLs of users that may do no more than they need
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

/** @param redisUrl a Redis that has just started: it knows no user but those of its configuration */
export async function createRedisUser(redisUrl: string): Promise<void> {
  const rights = (await documented(/^user (dropline .*)$/m)).split(' ');
  const redis = new Redis(redisUrl);
  await redis.call('ACL', 'SETUSER', ...rights);
  redis.disconnect();
}

function loggedIn(url: string, user: string): string {
  const place = new URL(url);
  place.username = user;
  place.password = PASSWORD;
  return place.href;
}
