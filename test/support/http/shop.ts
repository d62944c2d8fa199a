import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSigned } from '#core/payments/signature.js';

export const SHOP_SECRET = 'the key of the webhooks to the shop';

/** What a shop was told. */
export interface ToldEvent {
  id: string;
  type: string;
  data: Record<string, unknown>;
  signed: boolean;
}

/** A shop that takes webhooks. */
export interface TestShop {
  url: string;
  /** What it took in, in that order. */
  told: ToldEvent[];
  /** What it answers, given the event and how often it came. */
  answers(event: ToldEvent, times: number): number;
  server: Server;
}

/** Starts a shop on a free port; close its server. */
export async function startShop(): Promise<TestShop> {
  const times = new Map<string, number>();
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const signed = isSigned([SHOP_SECRET], { body, header: String(req.headers['dropline-signature']) }, Date.now());
    const event: ToldEvent = { ...JSON.parse(body.toString()), signed };
    times.set(event.id, (times.get(event.id) ?? 0) + 1);
    const status = shop.answers(event, times.get(event.id) ?? 0);
    if (status < 300) shop.told.push(event);
    res.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const shop: TestShop = { url: `http://127.0.0.1:${port}/hooks`, told: [], answers: () => 200, server };
  return shop;
}
