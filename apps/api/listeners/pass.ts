import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '#core/identity/token.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { BODY_BYTES_MAX, declaredBytes, readBody, refuseUnread } from '../http/body.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError, sendProblem } from '../http/problem.js';
import { sendJson } from '../http/reply.js';
import type { BuyerLimits } from '../limits/buyer-limits.js';
import { PassRequest } from '../passes/contract.js';
import { PassDesk, type PassParts } from '../passes/pass-desk.js';
import { addressOf, type FirstListener } from './first-listener.js';

const PREFIX = '/pass/';

/** The parts of the API that answer a buyer who asks for a pass. */
export interface PassListenerParts extends PassParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: Pick<BuyerLimits, 'refusalOf'>;
}

/**
 * Creates the listener for `POST /pass/:saleId`. It refuses strangers, and a buyer beyond the limit, before it reads the
 * body.
 */
export function createPassListener(parts: PassListenerParts): FirstListener {
  const desk = new PassDesk(parts);
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(PREFIX)) return false;
    const { saleId } = addressOf(url, PREFIX);
    // Another path, such as one that ends in a slash. Express answers it with 404.
    if (saleId === '' || saleId.includes('/')) return false;
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      sendProblem(res, 'method_not_allowed');
      return true;
    }
    answer(parts, desk, { req, res, saleId }).catch(error => sendError(res, error, 'pass'));
    return true;
  };
}

interface Request {
  req: IncomingMessage;
  res: ServerResponse;
  saleId: string;
}

async function answer(parts: PassListenerParts, desk: PassDesk, { req, res, saleId }: Request): Promise<void> {
  const buyerId = buyerUnlessRefused(parts, { req, res, saleId });
  if (buyerId === undefined) return;
  const body = await readBody(req, res, BODY_BYTES_MAX);
  if (!body) return;
  const asking = { saleId, buyerId, solution: solutionIn(body) };
  sendJson(res, { status: 200, body: await withDeadline(desk.answer(asking), ANSWER_MS, 'giving a pass') });
}

/** Returns the buyer of a request, or answers it with a problem without reading its body. */
function buyerUnlessRefused(parts: PassListenerParts, { req, res, saleId }: Request): string | undefined {
  try {
    if (!ID_PATTERN.test(saleId)) throw new Problem('invalid_request', { detail: 'no sale has an id like this' });
    const buyerId = buyerOf(req, parts.verifyToken);
    const limited = parts.limits.refusalOf('passes', buyerId);
    if (limited) throw limited;
    return buyerId;
  } catch (error) {
    if (declaredBytes(req) > BODY_BYTES_MAX && error instanceof Problem)
      refuseUnread(req, res, { problem: error, bytesMax: BODY_BYTES_MAX });
    else sendError(res, error, 'pass');
    return undefined;
  }
}

/** Returns the solution in a body, which may be empty. */
function solutionIn(body: Buffer): string | undefined {
  if (body.length === 0) return undefined;
  const parsed = PassRequest.safeParse(jsonIn(body));
  if (!parsed.success) throw new Problem('invalid_request', { detail: 'the body is no JSON with a `solution`' });
  return parsed.data.solution;
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
