import { setTimeout } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit, type Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { rateLimitFields } from '#core/http/rate-limit-fields.js';
import { loginFailed } from '#core/process/telemetry.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { callerOf } from './caller.js';
import { sendProblem } from './problem.js';

/** The most wrong tokens per minute and address that are answered at once: room for a few typing errors. */
const FAILURES_MAX = 10;

/** The addresses whose wrong tokens are counted, about 1 MB. Beyond it, the oldest address begins at 0 again. */
const ADDRESSES_MAX = 10_000;

/** The delay of an answer beyond FAILURES_MAX, in ms. It slows a program that tries tokens one after the other. */
const DELAY_MS = SECOND_MS;

/** The most delayed answers at one time, a quarter of the connections: a flood must not keep operators out. */
const DELAYED_MAX = 50;

/**
 * Creates the refusal of a wrong token, in the login form or as a Bearer token. Each address has FAILURES_MAX a minute;
 * further ones get 429, and late. Only wrong tokens are counted and delayed, so a right token always passes at once,
 * also from an address that others misuse. Long random tokens, not this limit, make guessing hopeless.
 *
 * @returns a function that counts and logs the failure, and calls `refuse` if the address is within its limit
 */
export function createTokenRefusal(): (req: Request, res: Response, refuse: () => void) => Promise<void> {
  const count = rateLimit({
    windowMs: MINUTE_MS,
    limit: FAILURES_MAX,
    store: createStore(),
    // The fields of the library come with each answer and in the form of an older draft.
    standardHeaders: false,
    legacyHeaders: false,
    handler: createSlowAnswer(),
    // The checks expect a middleware of the app, and warn of X-Forwarded-For, which is not used here.
    validate: false,
  });
  return async (req, res, refuse) => {
    loginFailed({ ...callerOf(res), path: req.path });
    await count(req, res, refuse);
  };
}

/** Creates a bounded store for the numbers of failures in the current minute of each address. */
function createStore(): Store {
  const failures = new LRUCache<string, { totalHits: number; resetTime: Date }>({ max: ADDRESSES_MAX, ttl: MINUTE_MS });
  return {
    localKeys: true,
    increment(address) {
      const counted = failures.get(address) ?? { totalHits: 0, resetTime: new Date(Date.now() + MINUTE_MS) };
      if (counted.totalHits === 0) failures.set(address, counted);
      counted.totalHits += 1;
      return counted;
    },
    decrement: () => undefined,
    resetKey: address => void failures.delete(address),
  };
}

function createSlowAnswer(): RequestHandler {
  const seconds = MINUTE_MS / SECOND_MS;
  const problem = new Problem('too_many_requests', {
    detail: 'too many wrong tokens: wait a minute',
    retryAfterSeconds: seconds,
  });
  const limit = { name: 'wrong-tokens', quota: FAILURES_MAX, windowSeconds: seconds, waitSeconds: seconds };
  const fields = new Map(Object.entries(rateLimitFields(limit)));
  let delayed = 0;
  return async (req, res) => {
    if (delayed < DELAYED_MAX) {
      delayed += 1;
      await setTimeout(DELAY_MS);
      delayed -= 1;
    }
    sendProblem(req, res.setHeaders(fields), problem);
  };
}
