import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';

/** A connection to Redis on which a pipeline of two commands is cut in two. */
export interface CutPipeline {
  redis: Redis;
  close(): void;
}

/**
 * Connects to Redis over a link that is held up between two commands of a pipeline. Redis runs commands of other clients
 * between those of a pipeline, if these arrive in several pieces.
 *
 * @param names the commands, in either order; the second is sent once the first was answered and `meanwhile` is over
 */
export async function cutPipeline(
  url: string,
  names: readonly [string, string],
  meanwhile: () => Promise<unknown>,
): Promise<CutPipeline> {
  const command = new RegExp(`\\*\\d+\\r\\n\\$\\d+\\r\\n(?:${names.join('|')})\\r\\n`, 'gi');
  const listener = createServer(client => {
    const server = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    client.on('close', () => server.destroy());
    server.pipe(client);
    void carry(client, server, { command, meanwhile });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const redis = connectRedis(`redis://127.0.0.1:${port}`, 'steps', () => undefined);
  await waitUntilReady(redis);
  const close = () => {
    redis.disconnect();
    listener.close();
  };
  return { redis, close };
}

/** Carries what the client sends. A piece is cut before its second command, if it has one. */
async function carry(
  client: Socket,
  server: Socket,
  { command, meanwhile }: { command: RegExp; meanwhile: () => Promise<unknown> },
): Promise<void> {
  for await (const piece of client as AsyncIterable<Buffer>) {
    const second = [...piece.toString('latin1').matchAll(command)][1]?.index ?? 0;
    if (second > 0) {
      const answered = once(server, 'data');
      server.write(piece.subarray(0, second));
      await answered;
      await meanwhile();
    }
    server.write(piece.subarray(second));
  }
}
