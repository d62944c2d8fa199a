import { ConfigError } from '../../process/config.js';
import type { Locator, ServerAddress } from './connector.js';
import { Sentinels } from './sentinels.js';
import type { RedisTarget } from './target.js';

/** Creates the locator of one Redis: its own address, or its Sentinels. */
export function locatorOf(target: RedisTarget): Locator {
  const { at } = target;
  switch (at.kind) {
    case 'host':
      return fixed({ host: at.host, port: at.port });
    case 'socket':
      return fixed({ path: at.path });
    case 'sentinels':
      return new Sentinels(at.name, at.sentinels, target);
    case 'cluster':
      // connectShards opens a connection for each bucket (core/redis/cluster.ts).
      throw new ConfigError('REDIS_URL must lead to one Redis here, and leads to a Redis Cluster');
  }
}

const fixed = (address: ServerAddress): Locator => ({
  movedReason: undefined,
  locate: () => Promise.resolve(address),
  close: () => undefined,
});
