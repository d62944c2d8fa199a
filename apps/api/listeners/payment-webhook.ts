import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { EventVerifier } from '#core/payments/provider.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueuePaymentEvent } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { PROVIDER_NAMES, type ProviderName } from '#core/rules/sale.js';
import { readBody } from '../http/body.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError } from '../http/problem.js';
import { sendJson } from '../http/reply.js';

/** Far more than the largest event of a provider. */
const EVENT_BYTES_MAX = 64 * 1_024;

/** Two names for one signature scheme. */
const SIGNATURE_HEADERS = ['dropline-signature', 'stripe-signature'];

/** The parts that take an event. */
export interface PaymentWebhookParts {
  readonly eventVerifiers: Partial<Record<ProviderName, EventVerifier>>;
  readonly queues: Queues;
}

/**
 * Creates the listener for `POST /webhooks/payments/:provider`. It reads the body itself, as the signature covers the raw
 * bytes, and answers once Redis has the event. The worker checks whether the event is true of an order, as this process has
 * no database.
 */
export function createPaymentWebhook(parts: PaymentWebhookParts): RequestHandler<{ provider: string }> {
  const { eventVerifiers, queues } = parts;
  return async (req, res) => {
    try {
      const provider = PROVIDER_NAMES.find(name => name === req.params.provider);
      const verifier = provider && eventVerifiers[provider];
      if (!provider || !verifier) throw new Problem('unknown_provider');
      const body = await readBody(req, res, EVENT_BYTES_MAX);
      if (!body) return;
      const verified = verifier.verify(body, signatureOf(req), Date.now());
      if (verified.kind === 'forged') throw new Problem('bad_signature');
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

function signatureOf(req: IncomingMessage): string | undefined {
  const name = SIGNATURE_HEADERS.find(header => req.headers[header] !== undefined);
  return name && String(req.headers[name]);
}
