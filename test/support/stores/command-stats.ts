import type { Redis } from '#core/redis/connection.js';

/** @returns how often Redis has carried out each command since its statistics were reset */
export async function commandCalls(redis: Redis): Promise<Record<string, number>> {
  const text = await redis.info('commandstats');
  const lines = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return Object.fromEntries(lines.map(([, name, calls]) => [name, Number(calls)]));
}
