import type { Redis } from '#core/redis/connection.js';

/** Reads how often Redis has run each command since the last reset of its statistics. */
export async function readCommandCalls(redis: Pick<Redis, 'info'>): Promise<Record<string, number>> {
  const text = await redis.info('commandstats');
  const lines = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return Object.fromEntries(lines.map(([, name, calls]) => [name, Number(calls)]));
}
