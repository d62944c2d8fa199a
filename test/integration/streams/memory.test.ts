import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Sale } from '#core/rules/sale.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';
import { type App, startApp } from '../../support/processes/app.js';

// The process under test is one of its own, on the Redis of this API.
const api = useApi();

/** Preloaded into the process. At SIGUSR2 it prints the bytes that it needs once its garbage is collected. */
const PRINT_MEMORY = `
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  console.log('needs ' + (heapUsed + external) + ' bytes');
});`;

const CONNECTIONS = 600;
/** 1.4 were measured (bench/README.md). Streams that keep request and response take 3.3 times as much. */
const RATIO_MAX = 2;

let app: App;
const sockets: Socket[] = [];
beforeAll(async () => {
  await build();
  app = await startApp('api', {
    REDIS_URL: api.redisServer.url,
    AUTH_SECRET: SECRET,
    HOST: '127.0.0.1',
    PORT: '0',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PRINT_MEMORY)}`,
  });
  await app.untilSaid(/"msg":"listening"/);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.process.kill();
});

/** Opens connections of as many buyers, and waits until a status has come on each. */
async function openAll(sale: Sale, headers: string): Promise<void> {
  const port = Number(/"port":(\d+)/.exec(app.said())?.[1]);
  let answered = 0;
  for (let i = 0; i < CONNECTIONS; i += 1) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const { authorization } = bearer(`buyer-${i}`);
    socket.write(
      `GET /order-status/${sale.id} HTTP/1.1\r\nHost: x\r\n${headers}Authorization: ${authorization}\r\n\r\n`,
    );
    let isAnswered = false;
    socket.on('data', chunk => {
      if (!isAnswered && chunk.includes('"status":"standby"')) answered += 1;
      isAnswered = true;
    });
  }
  await eventually(() => expect(answered).toBe(CONNECTIONS));
}

async function neededBytes(): Promise<number> {
  const all = () => [...app.said().matchAll(/needs (\d+) bytes/g)];
  const before = all().length;
  process.kill(app.process.pid, 'SIGUSR2');
  await eventually(() => expect(all()).toHaveLength(before + 1));
  return Number(all().at(-1)?.[1]);
}

test('a stream takes little more memory than an idle connection', async () => {
  const sale = await api.open({ units: 1, standbyFactor: CONNECTIONS });
  await api.win(sale, 'first');
  const buyers = Array.from({ length: CONNECTIONS }, (_, i) => `buyer-${i}`);
  await Promise.all(buyers.map(buyerId => api.post(`/buy/${sale.id}`, buyerId)));
  // Code that is compiled once is compiled before the measurement.
  for (const headers of ['', 'Accept: text/event-stream\r\n']) await openAll(sale, headers);
  const start = await neededBytes();
  await openAll(sale, '');
  const withIdle = await neededBytes();
  await openAll(sale, 'Accept: text/event-stream\r\n');
  const withStreams = await neededBytes();
  expect((withStreams - withIdle) / (withIdle - start)).toBeLessThan(RATIO_MAX);
});
