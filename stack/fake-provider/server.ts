import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { formatMoney } from '#core/rules/money.js';
import type { Books, FakePayment, FakeRefund } from './books.js';
import type { Events } from './events.js';

/** The parts of a provider, and where it listens. */
interface Parts {
  port: number;
  /** The key that callers of the API must send. */
  key: string;
  books: Books;
  events: Events;
}

interface Answer {
  status: number;
  body: unknown;
}

/** Far above any request that the provider knows: a payment or a mood. */
const BODY_MAX_BYTES = 16_384;

const NOT_FOUND: Answer = { status: 404, body: { error: 'not_found' } };

/** Starts the HTTP server of the provider. It listens on 127.0.0.1 once the promise resolves. */
export async function startServer(parts: Parts): Promise<Server> {
  const server = createServer((req, res) => {
    answer(parts, req).then(
      ({ status, body }) => send(res, status, body),
      () => send(res, 400, { error: 'bad_request' }),
    );
  });
  server.listen(parts.port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function send(res: ServerResponse, status: number, body: unknown): void {
  const isPage = typeof body === 'string';
  res.writeHead(status, { 'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json' });
  res.end(isPage ? body : JSON.stringify(body));
}

async function answer(parts: Parts, req: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://provider');
  const [area = '', id = '', action = '', verb = ''] = pathname.split('/').slice(1).map(decodeURIComponent);
  const call = `${req.method} ${area}`;
  if (area === 'pay') return payPage(parts, id, req.method === 'POST' ? `POST ${action}` : 'GET');
  if (area === 'control') return control(parts, req, [id, action, verb]);
  if (parts.events.mood.down) return { status: 503, body: { error: 'down' } };
  if (req.headers.authorization !== `Bearer ${parts.key}`) return { status: 401, body: { error: 'key' } };
  if (call === 'POST payments' && action === 'refund') return refund(parts, id, req);
  if (call === 'POST payments') return create(parts, (await bodyOf(req)) as unknown as FakePayment);
  if (call !== 'GET payments') return NOT_FOUND;
  const [orderId, attempt] = [searchParams.get('orderId') ?? '', Number(searchParams.get('attempt') ?? 1)];
  const payment = id === '' ? parts.books.ofOrder(orderId, attempt) : parts.books.find(id);
  return payment ? { status: 200, body: payment } : NOT_FOUND;
}

function create({ books, events }: Parts, { orderId, attempt, amountMinor, currency }: FakePayment): Answer {
  if (events.mood.refusePayments) return { status: 422, body: { error: 'refused' } };
  return { status: 201, body: books.create({ orderId, attempt, amountMinor, currency }) };
}

async function refund({ books, events }: Parts, id: string, req: IncomingMessage): Promise<Answer> {
  const { amountMinor } = (await bodyOf(req)) as Pick<FakeRefund, 'amountMinor'>;
  const payment = books.find(id);
  if (events.mood.refuseRefunds) return { status: 422, body: { error: 'refused' } };
  if (!payment) return NOT_FOUND;
  if (events.mood.busyRefunds) return { status: 409, body: { error: 'the same call is still at work' } };
  const key = events.mood.forgetKeys ? randomUUID() : String(req.headers['idempotency-key']);
  const made = books.refund(payment, { key, amountMinor, status: events.mood.pendingRefunds ? 'pending' : 'refunded' });
  return made ? { status: 200, body: { ...payment, status: made.status } } : { status: 400, body: { error: 'rest' } };
}

/** Shows the page of a payment. `POST fail` lets the payment fail, and any other POST pays it. */
function payPage({ books }: Parts, id: string, call: string): Answer {
  const payment = books.find(id);
  if (!payment) return NOT_FOUND;
  if (call === 'POST fail') books.cancel(payment);
  else if (call.startsWith('POST')) books.pay(payment);
  const { amountMinor, currency, status } = payment;
  const button = (label: string, path: string) =>
    `<form method="post" action="${path}"><button>${label}</button></form>`;
  const choice = button('Pay with play money', `/pay/${id}`) + button('Let it fail', `/pay/${id}/fail`);
  return {
    status: 200,
    body: `<!DOCTYPE html><html lang="en"><title>Fake payments</title><h1>Fake payments</h1><p>${formatMoney(amountMinor, currency)}: ${status}</p>${status === 'open' ? choice : ''}`,
  };
}

/** Answers a test: it reads or changes `mood`, `payments` and `events`, flushes events, and pays without the page. */
async function control(
  { books, events }: Parts,
  req: IncomingMessage,
  [what, id, action]: [string, string, string],
): Promise<Answer> {
  const payment = books.find(id) ?? books.ofOrder(id);
  const body = req.method === 'POST' ? await bodyOf(req) : {};
  if (what === 'mood') return { status: 200, body: Object.assign(events.mood, body) };
  if (what === 'events') return { status: 200, body: events.sent };
  if (what === 'flush') {
    await events.flush(typeof body.id === 'string' ? body.id : undefined);
    return { status: 200, body: events.sent };
  }
  if (what === 'resend') {
    await events.resend();
    return { status: 200, body: events.sent };
  }
  if (what !== 'payments') return NOT_FOUND;
  if (id === '') return { status: 200, body: books.all() };
  if (!payment) return NOT_FOUND;
  if (action === 'pay') books.pay(payment, body);
  if (action === 'cancel') books.cancel(payment);
  if (action === 'refund') {
    const { amountMinor } = body as Pick<FakeRefund, 'amountMinor'>;
    books.refund(payment, { key: `by hand ${payment.returned}`, amountMinor, status: 'refunded' });
  }
  if (action === 'dispute') books.dispute(payment, body.amountMinor as number | undefined);
  if (action === 'won' || action === 'lost') books.closeDisputes(payment, action);
  return { status: 200, body: payment };
}

async function bodyOf(req: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error(`more than ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}
