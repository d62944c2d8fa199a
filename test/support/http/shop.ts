import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSigned } from '#core/payments/signature.js';

/** The key that signs the webhooks to the shop. */
export const SHOP_SECRET = 'the key of the webhooks to the shop';

/** A webhook as the shop received it. */
export interface ReceivedNotice {
  id: string;
  type: string;
  data: Record<string, unknown>;
  signed: boolean;
}

/** A shop that takes webhooks. */
export interface TestShop {
  url: string;
  /** The accepted webhooks, in order. */
  received: ReceivedNotice[];
  /** Chooses the HTTP status of the answer, given how often the notice has arrived; later if it returns a promise. */
  answers(notice: ReceivedNotice, times: number): number | Promise<number>;
  server: Server;
}

/** Starts a shop on a free port. The caller closes its server. */
export async function startShop(): Promise<TestShop> {
  const times = new Map<string, number>();
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const header = String(req.headers['dropline-signature']);
    const signed = isSigned([SHOP_SECRET], { body, header }, Date.now());
    const notice: ReceivedNotice = { ...JSON.parse(body.toString()), signed };
    times.set(notice.id, (times.get(notice.id) ?? 0) + 1);
    const status = await shop.answers(notice, times.get(notice.id) ?? 0);
    if (status < 300) shop.received.push(notice);
    res.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const shop: TestShop = { url: `http://127.0.0.1:${port}/hooks`, received: [], answers: () => 200, server };
  return shop;
}
