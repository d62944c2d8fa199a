import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { EventVerifier } from '#core/payments/provider.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueuePaymentEvent } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { PROVIDER_NAMES, type ProviderName } from '#core/rules/sale.js';
import { declaredBytes, readBody, refuseUnread } from '../http/body.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError } from '../http/problem.js';
import { sendJson } from '../http/reply.js';
import type { Admission } from '../load/load.js';
import { ForgeryBudget } from './forgery-budget.js';

/** The largest accepted body of a payment event, in bytes. It is far more than the largest event of a provider. */
const EVENT_BYTES_MAX = 64 * 1_024;

/** The headers that may carry the signature of a payment event. Both names stand for one signature scheme. */
const SIGNATURE_HEADERS = ['dropline-signature', 'stripe-signature'];

/** Seconds for `Retry-After` while forged events arrive faster than this process verifies them. */
const BUSY_RETRY_SECONDS = 1;

/** The parts of the API that accept payment events. */
export interface PaymentWebhookParts {
  readonly eventVerifiers: Partial<Record<ProviderName, EventVerifier>>;
  readonly queues: Queues;
  readonly load: Admission;
}

/**
 * Creates the listener for `POST /webhooks/payments/:provider`. The listener reads the body itself, as the signature
 * covers the raw bytes. Before that, it refuses a signature header that fits no body, and a flood of forged events. It
 * answers once the event is queued in Redis. A worker checks the event against its order, as this process has no
 * database.
 */
export function createPaymentWebhook(parts: PaymentWebhookParts): RequestHandler<{ provider: string }> {
  const { eventVerifiers, queues, load } = parts;
  const budget = new ForgeryBudget();
  return async (req, res) => {
    try {
      const provider = PROVIDER_NAMES.find(name => name === req.params.provider);
      const verifier = provider && eventVerifiers[provider];
      if (!provider || !verifier) throw new Problem('unknown_provider');
      load.admit('event');
      const bytes = Math.min(EVENT_BYTES_MAX, declaredBytes(req));
      const problem = problemBefore(req, verifier, () => budget.take(bytes, performance.now()));
      if (problem) return refuseUnread(req, res, { problem, bytesMax: EVENT_BYTES_MAX });
      const body = await readBody(req, res, EVENT_BYTES_MAX);
      if (!body) return;
      const verified = verifier.verify(body, signatureOf(req), Date.now());
      if (verified.kind === 'forged') throw new Problem('bad_signature');
      budget.giveBack(bytes);
      if (verified.kind === 'unreadable') throw new Problem('invalid_request', { detail: 'this is no event' });
      const job = { provider, event: verified.event };
      const queueing = crashStep('event.queue', () => enqueuePaymentEvent(queues, job));
      await withDeadline(queueing, ANSWER_MS, 'taking an event');
      await crashPoint('event.queued');
      sendJson(res, { status: 200, body: { received: true } });
    } catch (error) {
      sendError(res, error, 'payment-webhook');
    }
  };
}

/** Returns the problem of an event that is refused before its body is read, if there is one. */
function problemBefore(
  req: IncomingMessage,
  verifier: EventVerifier,
  isAffordable: () => boolean,
): Problem | undefined {
  if (!verifier.mayBeGenuine(signatureOf(req), Date.now())) return new Problem('bad_signature');
  if (isAffordable()) return undefined;
  return new Problem('too_many_requests', { retryAfterSeconds: BUSY_RETRY_SECONDS });
}

function signatureOf(req: IncomingMessage): string | undefined {
  const name = SIGNATURE_HEADERS.find(header => req.headers[header] !== undefined);
  return name && String(req.headers[name]);
}
