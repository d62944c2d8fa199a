import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Client } from 'undici';
import { keysOf } from '#core/redis/keys.js';
import { eventually } from '../../support/eventually.js';
import { bearer, useApi } from '../../support/http/api.js';
import { sendRaw } from '../../support/http/raw-request.js';

const api = useApi();

/** Tells whether a client has that many answers, of which the last is whole. */
const has = (count: number) => (answers: string) => answers.split('HTTP/1.1 ').length > count && answers.endsWith('}');

/** Reads from a paused connection until the server closes it, or its client has read enough and does. */
function readUntil(socket: Socket, isEnough: (answers: string) => boolean): Promise<void> {
  return new Promise(resolve => {
    let answers = '';
    socket.once('close', () => resolve());
    socket.on('data', chunk => {
      answers += chunk;
      if (isEnough(answers)) socket.destroy();
    });
    socket.resume();
  });
}

describe('a connection with many requests in flight', () => {
  const clicks = (saleId: string, count: number) => {
    const head = `POST /buy/${saleId} HTTP/1.1\r\nHost: x\r\nAuthorization: `;
    return Array.from({ length: count }, (_, i) => `${head}${bearer(`b-${i}`).authorization}\r\n\r\n`).join('');
  };

  test('gets every answer of 32 requests, in their order', async () => {
    const sale = await api.open({ units: 32 });
    const answer = await sendRaw(api.port, clicks(sale.id, 32), has(32));
    expect(answer.match(/HTTP\/1\.1 202 /g)).toHaveLength(32);
  });

  test('gets every answer of any number of requests, one after the other', async () => {
    const connection = new Client(`http://127.0.0.1:${api.port}`);
    try {
      for (const path of ['/healthz', '/order-status/x']) {
        for (let i = 0; i < 100; i += 1) {
          const { statusCode, body } = await connection.request({ method: 'GET', path });
          await body.dump();
          expect(statusCode).toBe(path === '/healthz' ? 200 : 401);
        }
      }
    } finally {
      await connection.close();
    }
  });

  test('gets 429 after 64, and nothing beyond is served, while other clients are', async () => {
    const sale = await api.open({ units: 4_000 });
    const text = clicks(sale.id, 150);
    // The client of an API that refuses none leaves with its 150 answers.
    const greedy = Promise.all(Array.from({ length: 3 }, () => sendRaw(api.port, text, has(150))));
    expect((await api.post(`/buy/${sale.id}`, 'ann')).status).toBe(202);
    for (const answer of await greedy) {
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(65);
      expect(answer).toMatch(/HTTP\/1\.1 429 [\s\S]*connection: close[\s\S]*"code":"too_many_requests"[^}]*}$/i);
    }
    expect(await api.redis.hlen(keysOf(sale.id).claims)).toBeLessThanOrEqual(65);
  });

  test('has 64 of them served, also when its client reads no answer', async () => {
    const sale = await api.open({ units: 4_000 });
    const text = clicks(sale.id, 300);
    const sockets = Array.from({ length: 20 }, () => connect(api.port, '127.0.0.1').pause());
    for (const socket of sockets) socket.on('error', () => undefined).write(text);
    await eventually(async () => expect(await api.redis.hlen(keysOf(sale.id).claims)).toBeGreaterThanOrEqual(64));
    // On a busy machine the API may be late with 1,280 clicks, and refuses others for a moment.
    await eventually(async () => expect((await api.post(`/buy/${sale.id}`, 'ann')).status).toBe(202));
    await Promise.all(sockets.map(socket => readUntil(socket, has(66))));
    expect(await api.redis.hlen(keysOf(sale.id).claims)).toBe(65);
  });
});
