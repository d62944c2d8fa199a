import { Redis } from 'ioredis';
import pg from 'pg';
import type { PrivateStores } from '#stack/stores/private-stores.js';

/** How each type of key in Redis is read in full. */
const READS: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, 0, '-1', 'WITHSCORES'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/**
 * Reads everything that Redis and Postgres hold, as their owners see it.
 *
 * @returns one text for each key and each row, with the name of the key or the table
 */
export async function dumpStores({ redisUrl, databaseUrl }: PrivateStores): Promise<string[]> {
  return [...(await dumpRedis(redisUrl)), ...(await dumpPostgres(databaseUrl))];
}

async function dumpRedis(url: string): Promise<string[]> {
  const redis = new Redis(url);
  const texts: string[] = [];
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    // A key may expire between the two commands.
    if (type === 'none') continue;
    const read = READS[type];
    if (!read) throw new Error(`${key} is a ${type}`);
    texts.push(`${key} ${JSON.stringify(await read(redis, key))}`);
  }
  redis.disconnect();
  return texts;
}

async function dumpPostgres(url: string): Promise<string[]> {
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  const tables = await database.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await database.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    texts.push(...rows.map(({ row }) => `${name} ${row}`));
  }
  await database.end();
  return texts;
}
