import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { signBody } from '#core/payments/signature.js';
import { eventually } from '../../support/eventually.js';
import { useApi } from '../../support/http/api.js';
import { readMetric } from '../../support/http/metrics.js';

const SECRETS = ['the new key of the provider', 'the old key of the provider'];
const api = useApi({ PAYMENT_WEBHOOK_SECRETS: SECRETS });
const PATH = '/webhooks/payments/signed-webhook';
const REFUSED = 'dropline_problems_total{code="invalid_request"}';
const UNEXPECTED = 'dropline_unexpected_errors_total{where="payment-webhook"}';

function event(orderId: string = randomUUID()): string {
  const object = { id: `pi_${orderId}`, amount: 500, currency: 'eur', metadata: { order_id: orderId } };
  return JSON.stringify({ id: `evt_${randomUUID()}`, type: 'payment_intent.succeeded', data: { object } });
}

const send = (body: string, signature = signBody(SECRETS.slice(0, 1), body, Date.now()), path = PATH) =>
  api.send(path, { method: 'POST', body, headers: { 'stripe-signature': signature } });

const waiting = async () => (await api.ctx.queues['payment-event'].getJobs(['waiting'])).map(job => job.data);

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
    const [job] = await api.ctx.queues['payment-event'].getJobs(['waiting']);
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
    const init = { method: 'POST', body: ReadableStream.from(chunks), duplex: 'half' as const };
    expect(await api.send(PATH, init)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('a sender that leaves in the middle of a body is no unexpected error', async () => {
    const refused = await readMetric(REFUSED);
    const socket = connect(api.port, '127.0.0.1');
    await once(socket, 'connect');
    const part = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nnot all of it`;
    socket.write(part, () => socket.destroy());
    await eventually(async () => expect(await readMetric(REFUSED)).toBe(refused + 1));
    expect(await readMetric(UNEXPECTED)).toBe(0);
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
