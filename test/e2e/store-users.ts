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

/**
 * Creates the users of the stores from the files of `deploy/`.
 *
 * @param stores with the URLs of their owners
 * @returns the URLs of the new users, which have the least rights
 */
export async function grantLeastRights({ redisUrl, databaseUrl }: PrivateStores): Promise<StoreUrls> {
  await createRedisUser(redisUrl);
  await migrate(databaseUrl);
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(await readFile(join(checkout, 'deploy/postgres/rights.sql'), 'utf8'));
  await owner.query(`ALTER ROLE dropline_app PASSWORD '${PASSWORD}'`);
  await owner.end();
  return { redisUrl: loggedIn(redisUrl, 'dropline'), databaseUrl: loggedIn(databaseUrl, 'dropline_app') };
}

/** Creates the user of the processes. Redis forgets the user with every restart. */
export async function createRedisUser(redisUrl: string): Promise<void> {
  const users = await readFile(join(checkout, 'deploy/redis/users.acl'), 'utf8');
  const rights = /^user (dropline .*)$/m.exec(users)?.[1]?.replace('>PASSWORD', `>${PASSWORD}`).split(' ') ?? [];
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
