import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueuePaymentEvent } from '#core/queue/enqueue.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { PROVIDER_NAMES } from '#core/rules/sale.js';
import type { ApiContext } from '../context.js';
import { readBody } from '../http/body.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError } from '../http/problem.js';
import { sendJson } from '../http/reply.js';

/** The largest event that a provider sends, by far. */
const EVENT_BYTES_MAX = 64 * 1_024;

/** Both name the same scheme. */
const SIGNATURE_HEADERS = ['dropline-signature', 'stripe-signature'];

/**
 * `POST /webhooks/payments/:provider`: proves that an event is the provider's by its raw bytes, and answers once Redis has it. Whether
 * it is true of an order is the worker's matter: this process has no database.
 *
 * @param ctx the API's parts
 * @returns the listener; it reads the body itself
 */
export function paymentWebhook(ctx: ApiContext): RequestHandler<{ provider: string }> {
  return async (req, res) => {
    try {
      const provider = PROVIDER_NAMES.find(name => name === req.params.provider);
      const verifier = provider && ctx.eventVerifiers[provider];
      if (!provider || !verifier) throw new Problem('unknown_provider');
      const body = await readBody(req, res, EVENT_BYTES_MAX);
      if (!body) return;
      const verified = verifier.verify(body, signatureOf(req), Date.now());
      if (verified.kind === 'forged') throw new Problem('bad_signature');
      if (verified.kind === 'unreadable') throw new Problem('invalid_request', { detail: 'this is no event' });
      const job = { provider, event: verified.event };
      const queueing = crashStep('event.queue', () => enqueuePaymentEvent(ctx.queues, job));
      await withDeadline(queueing, ANSWER_MS, 'taking an event');
      await crashPoint('event.queued');
      sendJson(res, 200, { received: true });
    } catch (error) {
      sendError(res, error, 'payment-webhook');
    }
  };
}

function signatureOf(req: IncomingMessage): string | undefined {
  const name = SIGNATURE_HEADERS.find(header => req.headers[header] !== undefined);
  return name && String(req.headers[name]);
}
