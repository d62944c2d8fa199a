import type { Redis } from '#core/redis/connection.js';
import { type Change, parseChange } from '#core/redis/feed/changes.js';
import { sendGathered } from '#core/redis/feed/gathered.js';
import { channelOf } from '#core/redis/keys.js';

/** A message that no script publishes. It arrives after all those before it. */
const LAST = 'last';

/** Makes a call, and returns the messages about a sale that Redis publishes meanwhile. */
export async function messagesDuring(redis: Redis, saleId: string, call: () => Promise<unknown>): Promise<Change[]> {
  const ears = redis.duplicate({ enableOfflineQueue: true });
  await sendGathered(redis, saleId);
  const messages: Change[] = [];
  try {
    await ears.subscribe(channelOf(saleId));
    const heardLast = new Promise<void>(resolve => {
      ears.on('message', (_channel, text) => {
        if (text === LAST) resolve();
        else messages.push(parseChange(text));
      });
    });
    await call();
    await sendGathered(redis, saleId);
    await redis.publish(channelOf(saleId), LAST);
    await heardLast;
    return messages;
  } finally {
    ears.disconnect();
  }
}
