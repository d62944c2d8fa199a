import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { requestBegan, requestEnded } from '../../../../apps/api/http/pipelining.js';
import type { RecentSale } from '../../../../apps/api/mirror/sales.js';
import { BuyerWaiters } from '../../../../apps/api/waiting/buyer-waiters.js';
import { StandingStream } from '../../../../apps/api/waiting/standing-stream.js';
import { eventually } from '../../../support/eventually.js';
import { aSale } from '../../../support/sales.js';

const MINUTE_MS = 60_000;
const SALE: RecentSale = {
  ...aSale({ id: 'sale' }),
  ...{ standbyCap: 0, remaining: 0, claims: 0, waiting: 0, unplaced: 0 },
  ...{ runId: '', nowMs: Date.now(), readAtMs: performance.now() },
};
const HEAD = 'GET /stream HTTP/1.1\r\nHost: x\r\n';
const BEGINNING = 'retry: 2000\n\n';

/** Nothing has happened yet: what is read of the buyer, how often it was read, and the streams that were opened. */
const nothingSeen = () => ({
  status: { position: 3 } as BuyerStatus,
  reads: 0,
  left: 0,
  streams: [] as StandingStream[],
  sockets: [] as Socket[],
});
let seen = nothingSeen();
const clients: Socket[] = [];
let server: ReturnType<typeof createServer>;

function onRequest(req: IncomingMessage, res: ServerResponse): void {
  requestBegan(req.socket);
  res.once('finish', () => requestEnded(req.socket));
  if (req.url !== '/stream') return void res.end('plain');
  const parts = {
    sales: { ask: (_: string, answer: (sale: RecentSale) => void) => answer(SALE) },
    statuses: {
      ask: (_sale: string, _buyer: string, answer: (status: BuyerStatus) => void) => {
        seen.reads += 1;
        setImmediate(() => answer(seen.status));
        return true;
      },
    },
    lookUp: () => Promise.reject(new Error('nothing is looked up')),
    receiptKeys: ['a secret of at least 32 characters.'],
    load: { slowdown: 1 },
  };
  const now = seen;
  const onLeave = () => {
    now.left += 1;
  };
  const question = { saleId: 'sale', buyerId: 'ann' };
  const stream = new StandingStream(parts, { req, res, question, tick: 0, onLeave });
  now.streams.push(stream);
  now.sockets.push(req.socket);
  stream.start(new BuyerWaiters());
}

beforeEach(async () => {
  seen = nothingSeen();
  server = createServer(onRequest);
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await once(server.close(), 'close');
});

/** Sends a text on a connection of its own, and collects what comes. */
function send(text: string) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(socket);
  const got = { text: '', closed: false };
  socket.on('data', chunk => {
    got.text += chunk;
  });
  socket.on('close', () => {
    got.closed = true;
  });
  socket.write(text);
  return { socket, got, bodies: () => bodiesOf(got.text) };
}

/** Returns the bodies of the answers in a text, each with whether it is complete. Answers in chunks are read strictly. */
function bodiesOf(text: string): { body: string; isWhole: boolean }[] {
  const bodies: { body: string; isWhole: boolean }[] = [];
  let rest = text;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 \d+ .*?\r\n\r\n/s.exec(rest)?.[0];
    if (head === undefined) throw new Error(`no answer begins here: ${rest}`);
    rest = rest.slice(head.length);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    let body = length === undefined ? '' : rest.slice(0, Number(length));
    let isWhole = body.length === Number(length);
    if (isWhole) rest = rest.slice(body.length);
    while (!isWhole && rest !== '') {
      const [chunk, size = ''] = /^([0-9a-f]+)\r\n/.exec(rest) ?? [];
      if (chunk === undefined) throw new Error(`no chunk begins here: ${rest}`);
      const bytes = Number.parseInt(size, 16);
      body += rest.slice(chunk.length, chunk.length + bytes);
      expect(rest.slice(chunk.length + bytes, chunk.length + bytes + 2)).toBe('\r\n');
      rest = rest.slice(chunk.length + bytes + 2);
      isWhole = bytes === 0;
    }
    bodies.push({ body, isWhole });
  }
  return bodies;
}

const standbyAt = (position: number) =>
  expect.stringMatching(
    new RegExp(`^event: status\ndata: {"status":"standby","pollAfterMs":\\d+,"position":${position}}$`),
  );

/** The messages of a stream's body, without the empty end. */
const messages = (body: string) => body.split('\n\n').slice(0, -1);

describe.each([
  ['kept', ''],
  ['closed by the client’s wish', 'Connection: close\r\n'],
])('a stream on a connection that is %s', (_, header) => {
  test('sends each change, and ends with the final status', async () => {
    const { bodies, got } = send(`${HEAD}${header}\r\n`);
    await eventually(() => expect(bodies()).toHaveLength(1));
    for (const position of [2, 2, 1]) {
      seen.status = { position };
      seen.streams[0]?.wake();
      await eventually(() => expect(bodies()[0]?.body).toContain(`"position":${position}`));
    }
    seen.status = {};
    seen.streams[0]?.wake();
    await eventually(() => expect(bodies()[0]?.isWhole).toBe(true));
    expect(messages(bodies()[0]?.body ?? '')).toEqual([
      'retry: 2000',
      ...[3, 2, 1].map(standbyAt),
      'event: status\nid: final\ndata: {"status":"none"}',
    ]);
    expect(seen.left).toBe(1);
    if (header !== '') await eventually(() => expect(got.closed).toBe(true));
  });

  test('says at its end that it is replaced', async () => {
    const { bodies } = send(`${HEAD}${header}\r\n`);
    await eventually(() => expect(bodies()).toHaveLength(1));
    seen.streams[0]?.replace();
    await eventually(() => expect(bodies()[0]?.isWhole).toBe(true));
    expect(messages(bodies()[0]?.body ?? '').at(-1)).toBe('retry: 30000\nevent: replaced\ndata: {}');
  });

  test('that ends before its first status has that status, and why', async () => {
    const { bodies } = send(`${HEAD}${header}\r\n`);
    await once(server, 'request');
    seen.streams[0]?.replace();
    await eventually(() => expect(bodies()[0]?.isWhole).toBe(true));
    const all = [BEGINNING.trim(), standbyAt(3), 'retry: 30000\nevent: replaced\ndata: {}'];
    expect(messages(bodies()[0]?.body ?? '')).toEqual(all);
  });

  test('is forgotten when its client leaves', async () => {
    const { socket, bodies } = send(`${HEAD}${header}\r\n`);
    await eventually(() => expect(bodies()).toHaveLength(1));
    socket.destroy();
    await eventually(() => expect(seen.left).toBe(1));
    seen.streams[0]?.wake();
    seen.streams[0]?.leave();
    expect(seen.left).toBe(1);
  });
});

test('a client of HTTP/1.0 gets the text without chunks', async () => {
  const { got } = send('GET /stream HTTP/1.0\r\n\r\n');
  await eventually(() => expect(got.text).toContain('"position":3'));
  seen.streams[0]?.leave();
  await eventually(() => expect(got.closed).toBe(true));
  expect(got.text).toMatch(/\r\n\r\nretry: 2000\n\nevent: status\ndata: [^\n]+\n\n$/);
});

test('the connection of a stream that has ended serves the next request', async () => {
  const { socket, bodies } = send(`${HEAD}\r\n`);
  await eventually(() => expect(bodies()).toHaveLength(1));
  seen.streams[0]?.leave();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => expect(bodies()).toHaveLength(2));
  expect(bodies()[1]).toEqual({ body: 'plain', isWhole: true });
});

test('the next request on the connection of a stream ends it, and is answered after it', async () => {
  const { socket, bodies } = send(`${HEAD}\r\n`);
  await eventually(() => expect(bodies()).toHaveLength(1));
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => expect(bodies()).toHaveLength(2));
  expect(bodies().map(({ isWhole }) => isWhole)).toEqual([true, true]);
  expect(seen.left).toBe(1);
});

test('a stream between two requests is not cut short: the second answer follows its end', async () => {
  const plain = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  const { bodies } = send(`${plain}${HEAD}\r\n${plain}`);
  await eventually(() => expect(bodies()).toHaveLength(2));
  seen.status = { position: 2 };
  seen.streams[0]?.wake();
  await eventually(() => expect(bodies()[1]?.body).toContain('"position":2'));
  expect(bodies()).toHaveLength(2);
  seen.streams[0]?.leave();
  await eventually(() => expect(bodies()).toHaveLength(3));
  expect(bodies().map(({ isWhole }) => isWhole)).toEqual([true, true, true]);
});

test('a client that does not read holds up no other one, and later gets the last status alone', async () => {
  const slow = send(`${HEAD}\r\n`);
  await eventually(() => expect(slow.bodies()).toHaveLength(1));
  slow.socket.pause();
  const connection = seen.sockets[0] as Socket;
  // More than the buffers of both kernels take.
  const filling = `${(16 * 1_024).toString(16)}\r\n:${'x'.repeat(16 * 1_024 - 3)}\n\n\r\n`;
  while (connection.writableLength < 100_000) {
    connection.write(filling);
    await new Promise(setImmediate);
  }
  const quick = send(`${HEAD}\r\n`);
  await eventually(() => expect(quick.bodies()).toHaveLength(1));
  const bytes = () => connection.writableLength + connection.bytesWritten;
  seen.status = { position: 21 };
  for (const stream of seen.streams) stream.wake();
  await eventually(() => expect(quick.bodies()[0]?.body).toContain('"position":21'));
  const before = bytes();
  for (let position = 20; position > 0; position -= 1) {
    seen.status = { position };
    for (const stream of seen.streams) stream.wake();
    await eventually(() => expect(quick.bodies()[0]?.body).toContain(`"position":${position}}`));
  }
  expect(bytes()).toBe(before);
  slow.socket.resume();
  await eventually(() => expect(slow.bodies()[0]?.body).toContain('"position":1}'));
  expect(slow.bodies()[0]?.body.match(/"position":\d+/g)).toEqual(['"position":3', '"position":21', '"position":1']);
});

test('a comment breaks a silence of 10 s, and the stream ends after 10 minutes', async () => {
  const { bodies } = send(`${HEAD}\r\n`);
  await eventually(() => expect(bodies()).toHaveLength(1));
  const openedAtMs = performance.now();
  const read = async (afterMs: number) => {
    const { reads } = seen;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(openedAtMs + afterMs);
    try {
      seen.streams[0]?.wake();
      await new Promise(setImmediate);
    } finally {
      clock.mockRestore();
    }
    expect(seen.reads).toBe(reads + 1);
  };
  for (const afterMs of [5_000, 9_000, 10_001, 15_000, 20_002]) await read(afterMs);
  await eventually(() => expect(messages(bodies()[0]?.body ?? '').slice(2)).toEqual([':', ':']));
  expect(seen.left).toBe(0);
  await read(10 * MINUTE_MS);
  await eventually(() => expect(bodies()[0]?.isWhole).toBe(true));
  expect(seen.left).toBe(1);
});
