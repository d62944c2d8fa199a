import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a server on a free port that gives one answer to every request. The caller stops it. */
export async function startAnsweringServer(answer: object): Promise<{ url: string; stop(): void }> {
  const server = createServer((_req, res) => res.end(JSON.stringify(answer)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}
