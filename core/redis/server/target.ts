import type { ConnectionOptions } from 'node:tls';
import { allOrNone, type Config, ConfigError } from '../../process/config.js';
import { type HostAndPort, parseRedisAddress, type RedisAddress } from '../../values/redis-address.js';

/** The names of the settings that lead to Redis. */
export const REDIS_SETTINGS = [
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
  'REDIS_CACERT',
  'REDIS_CERT',
  'REDIS_KEY',
  'REDIS_SNI',
] as const;

/** The checked settings that lead to Redis. */
export type RedisSettings = Config<(typeof REDIS_SETTINGS)[number]>;

/** A Redis, and how to talk to it. */
export interface RedisTarget extends Omit<RedisAddress, 'tls'> {
  /** The options of TLS; undefined without TLS. */
  tls: ConnectionOptions | undefined;
  /** The password of the Sentinels themselves. */
  sentinelPassword: string | undefined;
}

/**
 * Reads the settings that lead to Redis.
 *
 * @param settings the settings, or only the address
 * @throws ConfigError for an address of a wrong form, and for settings that contradict each other
 */
export function targetOf(settings: RedisSettings | string): RedisTarget {
  if (typeof settings === 'string') {
    const { tls, ...address } = addressOf(settings);
    return { ...address, tls: tls ? {} : undefined, sentinelPassword: undefined };
  }
  const { REDIS_SENTINEL_PASSWORD: sentinelPassword } = settings;
  const address = addressOf(settings.REDIS_URL);
  if (sentinelPassword !== undefined && address.at.kind !== 'sentinels') {
    throw new ConfigError('REDIS_SENTINEL_PASSWORD needs a REDIS_URL that begins with redis+sentinel://');
  }
  const tls = tlsOf(settings);
  if (!address.tls && Object.keys(tls).length > 0) {
    throw new ConfigError('REDIS_CACERT, REDIS_CERT, REDIS_KEY and REDIS_SNI need a REDIS_URL that begins with rediss');
  }
  return { ...address, tls: address.tls ? tls : undefined, sentinelPassword };
}

function addressOf(text: string): RedisAddress {
  try {
    return parseRedisAddress(text);
  } catch (error) {
    throw new ConfigError(`REDIS_URL ${(error as Error).message}`);
  }
}

function tlsOf(settings: RedisSettings): ConnectionOptions {
  const { REDIS_CACERT: ca, REDIS_SNI: servername } = settings;
  const own = allOrNone<'REDIS_CERT' | 'REDIS_KEY'>(settings, ['REDIS_CERT', 'REDIS_KEY']);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(own ? { cert: own.REDIS_CERT, key: own.REDIS_KEY } : {}),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** Names a Redis by its hosts or its socket, for messages. A password is never a part of it. */
export function nameOf({ at }: Pick<RedisTarget, 'at'>): string {
  switch (at.kind) {
    case 'host':
      return `${at.host}:${at.port}`;
    case 'socket':
      return at.path;
    case 'sentinels':
      return `${at.name} (Sentinels ${listed(at.sentinels)})`;
    case 'cluster':
      return `${listed(at.nodes)} (a Redis Cluster)`;
  }
}

const listed = (all: readonly HostAndPort[]): string => all.map(({ host, port }) => `${host}:${port}`).join(', ');
