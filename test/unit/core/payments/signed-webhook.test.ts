import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { PaymentIntent } from '#core/payments/provider.js';
import { signBody } from '#core/payments/signature.js';
import { createSignedWebhook } from '#core/payments/signed-webhook.js';

const ORDER = '00000000-0000-4000-8000-000000000001';
const SECRET = 'whsec_1';
const NOW = 1_700_000_000_000;
const intent: PaymentIntent = {
  orderId: ORDER,
  buyerId: 'ada',
  saleId: 'lamps',
  attempt: 1,
  amountMinor: 1_999,
  currency: 'EUR',
  payByMs: NOW,
};
const ref = { orderId: ORDER, attempt: 1, paymentId: 'pi/1' };
const part = { amountMinor: 500, fromMinor: 200, isWhole: false };
const known = { id: 'pi/1', orderId: ORDER, status: 'paid', amountMinor: 1_999, currency: 'EUR' };

/** The calls that the provider got, and its next answer. */
const calls: object[] = [];
let next: { status: number; body: unknown; headers?: Record<string, string> };

const server = createServer(async (req, res) => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const { authorization, 'idempotency-key': idempotencyKey, 'content-type': contentType } = req.headers;
  const body = Buffer.concat(chunks).toString();
  calls.push({ call: `${req.method} ${req.url}`, authorization, idempotencyKey, contentType, body });
  res.writeHead(next.status, next.headers).end(typeof next.body === 'string' ? next.body : JSON.stringify(next.body));
});
let url = '';

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  calls.length = 0;
});
afterAll(() => {
  server.close();
});

const provider = () => createSignedWebhook({ url: `${url}/v1/`, key: 'key-1' }, [SECRET]);
const answers = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  next = { status, body, headers };
  return provider();
};

const authorization = 'Bearer key-1';
const contentType = 'application/json';

test('a payment is created with the facts of its order, under the key of the attempt', async () => {
  const created = { id: 'pi/1', payUrl: 'https://pay.example/p/1' };
  expect(await answers(201, created).create(intent)).toEqual({
    kind: 'open',
    paymentId: 'pi/1',
    payUrl: 'https://pay.example/p/1',
  });
  await answers(200, created).create({ ...intent, attempt: 2 });
  const { payByMs, ...facts } = intent;
  const body = { ...facts, payBy: '2023-11-14T22:13:20.000Z' };
  const call = { call: 'POST /v1/payments', authorization, contentType };
  expect(calls.map(one => ({ ...one, body: JSON.parse((one as { body: string }).body) }))).toEqual([
    { ...call, idempotencyKey: ORDER, body },
    { ...call, idempotencyKey: `${ORDER}-2`, body: { ...body, attempt: 2 } },
  ]);
});

test.each([400, 402, 403, 422])('the status %d refuses a payment and a refund for good', async status => {
  const refusing = answers(status, 'no');
  expect(await refusing.create(intent)).toEqual({ kind: 'refused', reason: 'payment_refused' });
  expect(await refusing.refund(ref, part)).toBe('refused');
});

test.each([300, 401, 404, 409, 429, 500, 503])('after the status %d the outcome is unknown', async status => {
  const failing = answers(status, known);
  await expect(failing.create(intent)).rejects.toThrow(`${status}`);
  await expect(failing.refund(ref, part)).rejects.toThrow(`${status}`);
});

test.each([
  { name: 'no id', body: { payUrl: 'https://pay.example/p/1' } },
  { name: 'no page', body: { id: 'pi_1' } },
  { name: 'a page that is none', body: { id: 'pi_1', payUrl: 'javascript:alert(1)' } },
  { name: 'no JSON', body: 'created' },
])('an answer with $name tells nothing about a created payment', async ({ body }) => {
  await expect(answers(201, body).create(intent)).rejects.toThrow();
});

test('a payment is asked about by its id, or else by its order and attempt', async () => {
  await answers(200, known).ask(ref);
  await answers(200, known).ask({ ...ref, attempt: 3, paymentId: null });
  expect(calls).toEqual(
    ['/payments/pi%2F1', `/payments?orderId=${ORDER}&attempt=3`].map(path => ({
      call: `GET /v1${path}`,
      authorization,
      body: '',
    })),
  );
});

test.each(['open', 'paid', 'failed', 'refunded'])('a provider reports a payment as %s', async status => {
  const told = { ...known, status };
  const report = { paymentId: 'pi/1', orderId: ORDER, state: status, amountMinor: 1_999, currency: 'EUR' };
  expect(await answers(200, told).ask(ref)).toEqual(report);
  const amounts = { amountMinor: 0, refundedMinor: 0, disputedMinor: 0 };
  expect(await answers(200, { ...told, ...amounts }).ask(ref)).toEqual({ ...report, ...amounts });
  const more = { refundedMinor: 200, disputedMinor: 300 };
  expect(await answers(200, { ...told, ...more }).ask(ref)).toEqual({ ...report, ...more });
});

test.each([200, 203, 299])('with the status %d the provider has answered', async status => {
  expect(await answers(status, known).ask(ref)).toMatchObject({ state: 'paid' });
});

test('a provider that does not know a payment reports none', async () => {
  expect(await answers(404, 'not found').ask(ref)).toBeUndefined();
});

test.each([
  { id: '' },
  { orderId: 'order-1' },
  { status: 'settled' },
  { amountMinor: -1 },
  { amountMinor: 0.5 },
  { currency: 'eur' },
  { refundedMinor: -1 },
  { refundedMinor: 0.5 },
  { disputedMinor: -1 },
  { disputedMinor: 0.5 },
])('an answer with %j is no report', async odd => {
  await expect(answers(200, { ...known, ...odd }).ask(ref)).rejects.toThrow();
});

test('a refund of everything has the key of the attempt and no amount; a part has both, with the totals', async () => {
  const whole = { ...part, fromMinor: 0, isWhole: true };
  await answers(200, { status: 'refunded' }).refund(ref, whole);
  await answers(200, { status: 'refunded' }).refund({ ...ref, attempt: 2 }, whole);
  await answers(200, { status: 'refunded' }).refund(ref, part);
  const call = { call: 'POST /v1/payments/pi%2F1/refund', authorization, contentType };
  expect(calls).toEqual([
    { ...call, idempotencyKey: `refund-${ORDER}`, body: '{}' },
    { ...call, idempotencyKey: `refund-${ORDER}-2`, body: '{}' },
    { ...call, idempotencyKey: `refund-${ORDER}-200-700`, body: '{"amountMinor":500}' },
  ]);
});

test('a refund is made or accepted; another answer tells nothing', async () => {
  expect(await answers(200, { status: 'refunded' }).refund(ref, part)).toBe('refunded');
  expect(await answers(202, { status: 'pending' }).refund(ref, part)).toBe('pending');
  await expect(answers(200, { status: 'failed' }).refund(ref, part)).rejects.toThrow();
  await expect(answers(200, {}).refund(ref, part)).rejects.toThrow();
});

test('a payment without an id at its provider is not refunded', async () => {
  const refund = answers(200, { status: 'refunded' }).refund({ ...ref, paymentId: null }, part);
  await expect(refund).rejects.toThrow(ORDER);
  expect(calls).toEqual([]);
});

test('a redirect is not followed', async () => {
  await expect(answers(307, '', { location: `${url}/other` }).ask(ref)).rejects.toThrow();
  expect(calls).toHaveLength(1);
});

test('an answer of 64 KiB is read, and a longer one is not', async () => {
  const padded = (bytes: number) => JSON.stringify(known).padEnd(bytes);
  expect(await answers(200, padded(65_536)).ask(ref)).toMatchObject({ state: 'paid' });
  await expect(answers(200, padded(65_537)).ask(ref)).rejects.toThrow('65536');
});

test('an event is genuine, unreadable or forged', () => {
  const { verify, mayBeGenuine } = provider();
  const body = Buffer.from('{"id":"evt_1","type":"charge.updated","data":{"object":{}}}');
  const header = signBody([SECRET], body, NOW);
  expect(verify(body, header, NOW)).toEqual({
    kind: 'genuine',
    event: { eventId: 'evt_1', type: 'charge.updated' },
  });
  const other = Buffer.from('{}');
  expect(verify(other, signBody([SECRET], other, NOW), NOW)).toEqual({ kind: 'unreadable' });
  expect(verify(other, header, NOW)).toEqual({ kind: 'forged' });
  expect([mayBeGenuine(header, NOW), mayBeGenuine(undefined, NOW)]).toEqual([true, false]);
});
