import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import type { TokenVerifier } from '#core/identity/token.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem, type ProblemCode } from '#core/rules/errors.js';
import { buyerOf } from './buyer.js';
import { ANSWER_MS } from './deadline.js';
import type { LimitCheck, LimitKind } from './limit-kind.js';
import { sendError } from './problem.js';
import { sendBytes, sendJson } from './reply.js';

/**
 * The input and the answers of an HTTP endpoint. Requests are checked against this contract, and /openapi.json is made
 * from it.
 */
export interface Contract {
  method: 'get' | 'post';
  /** The path in Express's syntax, for example `/sales/:saleId`. */
  path: string;
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  /** The JSON body of the request, for the only call that reads one. */
  body?: z.ZodType;
  /** The successful answers by HTTP status. `type` is the media type of a body that is no JSON. */
  replies: Record<number, { description: string; body: z.ZodType; type?: string }>;
  /** The error codes of this endpoint, besides those that every endpoint may answer with. */
  problems: readonly ProblemCode[];
  /** Whether the endpoint demands a buyer's token. */
  forBuyer: boolean;
  /**
   * Whether the call supports `Prefer: wait=N`, which delays the answer until there is news, for at most N seconds. Its
   * listener before Express does.
   */
  mayWait?: boolean;
  /** Whether the call needs the header `Dropline-Pass` in a sale that needs passes. Its listener before Express checks it. */
  mayNeedPass?: boolean;
  /** Whether the endpoint's answer has an `ETag` and its requests may have `If-None-Match`. */
  tagged?: boolean;
}

/** A successful answer of an endpoint. A body of bytes is sent as it is, any other as JSON. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/**
 * The contract of an endpoint with the function that answers. `Parts` are the parts of the API that the function uses.
 */
export interface Endpoint<Parts> extends Contract {
  /**
   * Answers a request.
   *
   * @throws Problem, or the failure of a store; {@link listenerOf} answers both as problem documents (RFC 9457)
   */
  readonly answer: (parts: Parts, req: Request) => Promise<Reply>;
}

type Spec<P extends z.ZodObject, Q extends z.ZodObject> = Omit<Contract, 'params' | 'query' | 'forBuyer'> & {
  params?: P;
  query?: Q;
};

type Input<P extends z.ZodObject, Q extends z.ZodObject> = z.output<P> & z.output<Q>;

/**
 * Declares an endpoint that anybody may call, without a token.
 *
 * @param answer answers a request whose path and query parameters are valid
 */
export function publicEndpoint<Parts, P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Spec<P, Q>,
  answer: (parts: Parts, input: Input<P, Q>, req: Request) => Promise<Reply>,
): Endpoint<Parts> {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: false };
  return { ...contract, answer: async (parts, req) => answer(parts, inputOf(contract, req) as Input<P, Q>, req) };
}

/** The parts of the API that let a buyer in. */
interface BuyerParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: LimitCheck;
}

/**
 * Declares an endpoint that only buyers with a token may call.
 *
 * @param spec `limit` is the limit on the buyer's requests
 * @param answer answers a request of one buyer, whose path and query parameters are valid
 */
export function buyerEndpoint<Parts, P extends z.ZodObject, Q extends z.ZodObject>(
  { limit, ...spec }: Spec<P, Q> & { limit: LimitKind },
  answer: (parts: Parts, input: Input<P, Q> & { buyerId: string }, req: Request) => Promise<Reply>,
): Endpoint<Parts & BuyerParts> {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: true };
  return {
    ...contract,
    answer: async (parts, req) => {
      const input = inputOf(contract, req) as Input<P, Q>;
      const buyerId = buyerOf(req, parts.verifyToken);
      parts.limits.check(limit, buyerId);
      return answer(parts, { ...input, buyerId }, req);
    },
  };
}

function inputOf({ params, query }: Pick<Contract, 'params' | 'query'>, req: Request): object {
  return { ...parse(params, req.params), ...parse(query, req.query) };
}

function parse(schema: z.ZodObject, value: unknown): object {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Problem('invalid_request', { detail: `${issue?.path.join('.')}: ${issue?.message}` });
}

/** Turns an endpoint into a listener for Express. It answers within {@link ANSWER_MS}. */
export function listenerOf<Parts>(parts: Parts, endpoint: Endpoint<Parts>): RequestHandler {
  return async (req, res) => {
    try {
      const { status, body, headers } = await withDeadline(endpoint.answer(parts, req), ANSWER_MS, endpoint.path);
      if (Buffer.isBuffer(body)) sendBytes(res, { status, bytes: body, headers });
      else sendJson(res, { status, body, headers });
    } catch (error) {
      sendError(res, error, endpoint.path);
    }
  };
}
