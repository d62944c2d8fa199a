import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';

/** A server that says back what it is told. */
let server: Server;
let heard = '';
let proxy: FaultProxy;
const clients: Socket[] = [];
/** The server's side of the connections. */
const accepted: Socket[] = [];

beforeEach(async () => {
  heard = '';
  server = createServer(socket => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', piece => {
      heard += piece;
      socket.write(piece);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startFaultProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  for (const socket of [...clients.splice(0), ...accepted.splice(0)]) socket.destroy();
  server.close();
});

/** A client, and what came to it. */
async function open() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  clients.push(socket);
  const seen = { text: '', pieces: 0, error: '', closed: false };
  socket.on('data', piece => {
    seen.text += piece;
    seen.pieces += 1;
  });
  socket.on('error', error => {
    seen.error = (error as NodeJS.ErrnoException).code ?? '';
  });
  socket.on('close', () => {
    seen.closed = true;
  });
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return { socket, seen, answered: (text: string) => eventually(() => expect(seen.text).toBe(text)) };
}

describe('a link', () => {
  test('that is whole carries everything both ways, also a lot', async () => {
    const { socket, answered } = await open();
    const text = 'x'.repeat(1_000_000);
    socket.write(text);
    await answered(text);
    expect(heard).toBe(text);
  });

  test('ends on both sides when one side ends', async () => {
    const { socket, seen, answered } = await open();
    socket.write('hello');
    await answered('hello');
    socket.end();
    await eventually(() => expect(seen.closed).toBe(true));
    await eventually(() => expect(proxy.connections()).toBe(0));
  });

  test('with latency delivers late, each way', async () => {
    const { socket, answered } = await open();
    proxy.set({ kind: 'latency', ms: 100 });
    const startedAt = performance.now();
    socket.write('hello');
    await answered('hello');
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });

  test('that is reset takes connections down, new ones too, until it is mended', async () => {
    const { seen } = await open();
    proxy.set({ kind: 'reset' });
    await eventually(() => expect(seen).toMatchObject({ error: 'ECONNRESET', closed: true }));
    const next = await open();
    await eventually(() => expect(next.seen.closed).toBe(true));
    proxy.set({ kind: 'none' });
    const { socket, answered } = await open();
    socket.write('again');
    await answered('again');
  });

  test('that is half-open accepts and swallows, and says nothing', async () => {
    proxy.set({ kind: 'half-open' });
    const { socket, seen } = await open();
    socket.write('lost');
    await eventually(() => expect(proxy.swallowed()).toBe('lost'.length));
    expect(proxy.silent()).toBe(1);
    proxy.set({ kind: 'none' });
    socket.write('lost, too');
    const next = await open();
    next.socket.write('heard');
    await next.answered('heard');
    expect(seen).toMatchObject({ text: '', error: '', closed: false });
    expect(heard).toBe('heard');
  });

  test('that is half-open tells neither side that the other has gone', async () => {
    proxy.set({ kind: 'half-open' });
    const [first, second] = [await open(), await open()];
    for (const { socket } of [first, second]) socket.write('lost');
    await eventually(() => expect(proxy.silent()).toBe(2));
    first.socket.end();
    await eventually(() => expect(proxy.silent()).toBe(1));
    for (const socket of accepted) socket.destroy();
    await eventually(() => expect(proxy.silent()).toBe(0));
    expect(second.seen.closed).toBe(false);
    // Whose connections are left over with one side is closed all the same: afterEach waits for it.
  });

  test('that drops replies lets the request arrive and the client never know', async () => {
    const { socket, seen } = await open();
    proxy.set({ kind: 'drop-reply' });
    socket.write('done?');
    await eventually(() => expect(seen.closed).toBe(true));
    expect(heard).toBe('done?');
    expect(seen).toMatchObject({ text: '', error: 'ECONNRESET' });
  });

  test('that stalls delivers everything afterwards, in order', async () => {
    const { socket, seen, answered } = await open();
    const stalled = proxy.setFor({ kind: 'stall' }, 150);
    for (const letter of 'abc') socket.write(letter);
    await stalled.then(() => expect(seen.text).toBe(''));
    await answered('abc');
  });

  test('that stalls can be closed all the same', async () => {
    const stalling = await startFaultProxy((server.address() as AddressInfo).port);
    stalling.set({ kind: 'stall' });
    const socket = connect({ host: '127.0.0.1', port: stalling.port });
    clients.push(socket);
    socket.on('error', () => undefined);
    socket.write('held up');
    await eventually(() => expect(stalling.connections()).toBe(1));
    await stalling.close();
    await eventually(() => expect(socket.destroyed).toBe(true));
  });

  test('that leads elsewhere takes connections down, and new ones go there', async () => {
    const { seen } = await open();
    const elsewhere = createServer(socket => socket.end('elsewhere')).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    proxy.lead((elsewhere.address() as AddressInfo).port);
    await eventually(() => expect(seen).toMatchObject({ error: 'ECONNRESET', closed: true }));
    await (await open()).answered('elsewhere');
    elsewhere.close();
  });

  test('in slices delivers byte by byte', async () => {
    const { socket, seen, answered } = await open();
    proxy.set({ kind: 'slices' });
    socket.write('one by one');
    await answered('one by one');
    expect(seen.pieces).toBeGreaterThan(3);
  });

  test('that is cut for a time closes everything, and works again after', async () => {
    const { seen } = await open();
    const cut = proxy.setFor({ kind: 'cut' }, 100);
    await eventually(() => expect(seen.closed).toBe(true));
    expect(seen.error).toBe('');
    const meanwhile = await open();
    await eventually(() => expect(meanwhile.seen.closed).toBe(true));
    await cut;
    const { socket, answered } = await open();
    socket.write('back');
    await answered('back');
  });

  test('has a URL like that of its target', () => {
    expect(proxy.through('redis://127.0.0.1:6379')).toBe(`redis://127.0.0.1:${proxy.port}`);
    expect(proxy.through('postgresql://postgres@127.0.0.1:5432/dropline')).toBe(
      `postgresql://postgres@127.0.0.1:${proxy.port}/dropline`,
    );
  });
});
