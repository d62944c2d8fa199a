import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { signBody } from '#core/payments/signature.js';
import { eventually } from '../../support/eventually.js';
import { useApi } from '../../support/http/api.js';
import { readMetric } from '../../support/http/metrics.js';

const SECRETS = ['the new key of the provider', 'the old key of the provider'];
const api = useApi({ PAYMENT_WEBHOOK_SECRETS: SECRETS });
const PATH = '/webhooks/payments/signed-webhook';
const REFUSED = 'dropline_problems_total{code="invalid_request"}';
/** The metrics that an operator watches for stores that are away, and for defects. */
const ALARMS = [
  'dropline_problems_total{code="unavailable"}',
  'dropline_store_errors_total{store="redis"}',
  'dropline_unexpected_errors_total{where="payment-webhook"}',
];

function event(orderId: string = randomUUID()): string {
  const object = { id: `pi_${orderId}`, amount: 500, currency: 'eur', metadata: { order_id: orderId } };
  return JSON.stringify({ id: `evt_${randomUUID()}`, type: 'payment_intent.succeeded', data: { object } });
}

const send = (body: string, signature = signBody(SECRETS.slice(0, 1), body, Date.now()), path = PATH) =>
  api.send(path, { method: 'POST', body, headers: { 'stripe-signature': signature } });

async function connected(): Promise<Socket> {
  const socket = connect(api.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Sends the head of a large event whose body never comes. */
function sendHead(socket: Socket, signature: string, ...headers: string[]): void {
  const head = [`POST ${PATH} HTTP/1.1`, 'Host: x', 'Content-Length: 65000', `Stripe-Signature: ${signature}`];
  socket.write([...head, ...headers, '', ''].join('\r\n'));
}

const waiting = async () => (await api.ctx.queues.of('')['payment-event'].getJobs(['waiting'])).map(job => job.data);

describe('POST /webhooks/payments/:provider', () => {
  test('an event is answered once it is queued with its contents', async () => {
    const orderId = randomUUID();
    expect(await send(event(orderId))).toMatchObject({ status: 200, body: { received: true } });
    const report = { paymentId: `pi_${orderId}`, orderId, state: 'paid', amountMinor: 500, currency: 'EUR' };
    expect(await waiting()).toContainEqual({
      provider: 'signed-webhook',
      event: { eventId: expect.any(String), type: 'payment_intent.succeeded', report },
    });
  });

  test('an event is retried for more than three hours', async () => {
    await send(event());
    const [job] = await api.ctx.queues.of('')['payment-event'].getJobs(['waiting']);
    const { attempts = 0, backoff } = job?.opts ?? {};
    expect(backoff).toMatchObject({ type: 'exponential', delay: 100, jitter: 0.5 });
    // Each pause is twice the one before, minus up to a half of it at random.
    expect((0.5 * 100 * (2 ** (attempts - 1) - 1)) / 3_600_000).toBeGreaterThan(3);
  });

  test('both keys are accepted during a rotation', async () => {
    const body = event();
    expect((await send(body, signBody(SECRETS.slice(1), body, Date.now()))).status).toBe(200);
  });

  test('forged, changed and old events are refused, and nothing is queued', async () => {
    const before = await waiting();
    const body = event();
    const signatures = [
      '',
      't=1,v1=00',
      signBody(['another key'], body, Date.now()),
      signBody(SECRETS, `${body} `, Date.now()),
    ];
    for (const signature of [...signatures, signBody(SECRETS, body, Date.now() - 301_000)]) {
      expect(await send(body, signature)).toMatchObject({ status: 400, body: { code: 'bad_signature' } });
    }
    expect(await waiting()).toEqual(before);
  });

  test('a signature of a wrong form or age is refused before the body is read', async () => {
    for (const signature of ['', 't=1,v1=00', signBody(SECRETS, 'x', Date.now() - 301_000)]) {
      const socket = await connected();
      sendHead(socket, signature);
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"bad_signature"/);
      socket.resetAndDestroy();
    }
  });

  test('senders that leave in the middle of a body raise no alarm', async () => {
    const before = await Promise.all([REFUSED, ...ALARMS].map(readMetric));
    for (let i = 0; i < 10; i += 1) {
      const socket = await connected();
      sendHead(socket, signBody(SECRETS, '', Date.now()), 'Expect: 100-continue');
      await once(socket, 'data');
      if (i < 5) socket.resetAndDestroy();
      else socket.destroy();
    }
    // A connection that ends in the middle of a body is malformed HTTP; one that is reset is not even that.
    await eventually(async () => expect(await readMetric(REFUSED)).toBe(Number(before[0]) + 5));
    expect(await Promise.all(ALARMS.map(readMetric))).toEqual(before.slice(1));
  });

  test('a flood of forged events meets a limit, and genuine events still arrive', async () => {
    const signature = signBody(['another key'], '', Date.now());
    const sockets: Socket[] = [];
    let answer = '';
    // On a slow machine the budget grows while the heads arrive, so they are sent until one is answered.
    while (answer === '') {
      const more = await Promise.all(Array.from({ length: 200 }, connected));
      for (const socket of more) socket.once('data', data => (answer ||= String(data)));
      for (const socket of more) sendHead(socket, signature);
      sockets.push(...more);
    }
    expect(answer).toMatch(/^HTTP\/1\.1 429 [\s\S]*retry-after: 1\r\n[\s\S]*"code":"too_many_requests"/);
    for (const socket of sockets) socket.resetAndDestroy();
    await eventually(async () => expect((await send(event())).status).toBe(200));
  });

  test('the id of an event has no control characters: 400, and nothing is queued', async () => {
    const before = await waiting();
    const body = event().replace('"evt_', '"evt_\\u0000');
    expect(await send(body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await waiting()).toEqual(before);
  });

  test('a signed body that is no event: 400', async () => {
    expect(await send('[1, 2]')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test.each(['wallet', 'nobody', '__proto__'])('%s sends no events: 404', async name => {
    const answer = await send(event(), undefined, `/webhooks/payments/${name}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_provider' } });
  });

  test('an event may have at most 64 kB', async () => {
    const wide = (bytes: number) => event().replace('"currency"', `"description":"${'x'.repeat(bytes)}","currency"`);
    expect((await send(wide(60_000))).status).toBe(200);
    expect(await send(wide(66_000))).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('a body in chunks has the same bound, and its sender reads the refusal', async () => {
    const chunks = [new Uint8Array(40_000), new Uint8Array(40_000), new Uint8Array(2_000_000)];
    const headers = { 'stripe-signature': signBody(SECRETS, '', Date.now()) };
    const init = { method: 'POST', headers, body: ReadableStream.from(chunks), duplex: 'half' as const };
    expect(await api.send(PATH, init)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('other methods: 405', async () => {
    expect(await api.get(PATH)).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  });

  test('while Redis is down: 503 with Retry-After, so that the provider retries', async () => {
    await api.redisServer.kill();
    const answer = await send(event());
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(answer.headers.get('retry-after')).toBeTruthy();
    await api.startRedisAgain();
    expect((await send(event())).status).toBe(200);
  });
});
