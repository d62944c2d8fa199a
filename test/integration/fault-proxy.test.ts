import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';

/** A server that echoes every piece. */
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

/** Connects a client, and records its pieces, its error and its end. */
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

describe('the fault proxy', () => {
  test('a link without a fault carries a megabyte both ways', async () => {
    const { socket, answered } = await open();
    const text = 'x'.repeat(1_000_000);
    socket.write(text);
    await answered(text);
    expect(heard).toBe(text);
  });

  test('a connection ends on both sides when one side ends', async () => {
    const { socket, seen, answered } = await open();
    socket.write('hello');
    await answered('hello');
    socket.end();
    await eventually(() => expect(seen.closed).toBe(true));
    await eventually(() => expect(proxy.connections()).toBe(0));
  });

  test('latency delays each direction', async () => {
    const { socket, answered } = await open();
    proxy.set({ kind: 'latency', ms: 100 });
    const startedAt = performance.now();
    socket.write('hello');
    await answered('hello');
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });

  test('a reset link resets open and new connections until it is mended', async () => {
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

  test('a half-open link accepts connections and swallows every byte', async () => {
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

  test('a half-open link hides from each side that the other has gone', async () => {
    proxy.set({ kind: 'half-open' });
    const [first, second] = [await open(), await open()];
    for (const { socket } of [first, second]) socket.write('lost');
    await eventually(() => expect(proxy.silent()).toBe(2));
    first.socket.end();
    await eventually(() => expect(proxy.silent()).toBe(1));
    for (const socket of accepted) socket.destroy();
    await eventually(() => expect(proxy.silent()).toBe(0));
    expect(second.seen.closed).toBe(false);
    // afterEach waits until the proxy has closed the connections that only one side still has.
  });

  test('a link that drops replies delivers the request and resets the client', async () => {
    const { socket, seen } = await open();
    proxy.set({ kind: 'drop-reply' });
    socket.write('done?');
    await eventually(() => expect(seen.closed).toBe(true));
    expect(heard).toBe('done?');
    expect(seen).toMatchObject({ text: '', error: 'ECONNRESET' });
  });

  test('a stalled link delivers every byte in order afterwards', async () => {
    const { socket, seen, answered } = await open();
    const stalled = proxy.setFor({ kind: 'stall' }, 150);
    for (const letter of 'abc') socket.write(letter);
    await stalled.then(() => expect(seen.text).toBe(''));
    await answered('abc');
  });

  test('a stalled link can be closed', async () => {
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

  test('a link with a new target resets connections and leads new ones there', async () => {
    const { seen } = await open();
    const elsewhere = createServer(socket => socket.end('elsewhere')).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    proxy.lead((elsewhere.address() as AddressInfo).port);
    await eventually(() => expect(seen).toMatchObject({ error: 'ECONNRESET', closed: true }));
    await (await open()).answered('elsewhere');
    elsewhere.close();
  });

  test('a sliced link delivers byte by byte', async () => {
    const { socket, seen, answered } = await open();
    proxy.set({ kind: 'slices' });
    socket.write('one by one');
    await answered('one by one');
    expect(seen.pieces).toBeGreaterThan(3);
  });

  test('a link that is cut for a time closes connections, and works again afterwards', async () => {
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

  test('the proxy’s URL differs from the target’s in the port only', () => {
    expect(proxy.through('redis://127.0.0.1:6379')).toBe(`redis://127.0.0.1:${proxy.port}`);
    expect(proxy.through('postgresql://postgres@127.0.0.1:5432/dropline')).toBe(
      `postgresql://postgres@127.0.0.1:${proxy.port}/dropline`,
    );
  });
});
