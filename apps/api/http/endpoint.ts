import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem, type ProblemCode } from '#core/rules/errors.js';
import { buyerOf, type VerifyToken } from './buyer.js';
import { ANSWER_MS } from './deadline.js';
import { preferredWait } from './prefer.js';
import { sendError } from './problem.js';
import { sendJson } from './reply.js';

/** The input and the answers of an endpoint. Input is checked against it, and /openapi.json is made from it. */
export interface Contract {
  method: 'get' | 'post';
  /** In Express's form, as `/sales/:saleId`. */
  path: string;
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  /** The successful answers by HTTP status. */
  replies: Record<number, { description: string; body: z.ZodType }>;
  /** The problems of this endpoint, besides those of every endpoint. */
  problems: readonly ProblemCode[];
  /** Whether it demands a buyer's token. */
  forBuyer: boolean;
  /** Whether it supports `Prefer: wait=N`. */
  mayWait?: boolean;
  /** Whether its answer has an `ETag` and it supports `If-None-Match`. */
  tagged?: boolean;
}

/** A successful answer. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** An endpoint that answers with some parts of the API. */
export interface Endpoint<Parts> extends Contract {
  /** @throws Problem, or the failure of a store: both are answered as problems */
  readonly answer: (parts: Parts, req: Request) => Promise<Reply>;
}

type Spec<P extends z.ZodObject, Q extends z.ZodObject> = Omit<Contract, 'params' | 'query' | 'forBuyer'> & {
  params?: P;
  query?: Q;
};

type Input<P extends z.ZodObject, Q extends z.ZodObject> = z.output<P> & z.output<Q>;

/**
 * Declares an endpoint that anybody may call.
 *
 * @param answer answers the checked input
 */
export function publicEndpoint<Parts, P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Spec<P, Q>,
  answer: (parts: Parts, input: Input<P, Q>, req: Request) => Promise<Reply>,
): Endpoint<Parts> {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: false };
  return { ...contract, answer: async (parts, req) => answer(parts, inputOf(contract, req) as Input<P, Q>, req) };
}

/**
 * Declares an endpoint that only buyers may call.
 *
 * @param answer answers the checked input of one buyer
 */
export function buyerEndpoint<Parts, P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Spec<P, Q>,
  answer: (parts: Parts, input: Input<P, Q> & { buyerId: string }, req: Request) => Promise<Reply>,
): Endpoint<Parts & { readonly verifyToken: VerifyToken }> {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: true };
  return {
    ...contract,
    answer: async (parts, req) => {
      const input = inputOf(contract, req) as Input<P, Q>;
      return answer(parts, { ...input, buyerId: buyerOf(req, parts.verifyToken) }, req);
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

/** Turns an endpoint into a listener for Express. It answers in time, plus the time that the client wants to wait. */
export function listenerOf<Parts>(parts: Parts, endpoint: Endpoint<Parts>): RequestHandler {
  return async (req, res) => {
    try {
      const limitMs = ANSWER_MS + (endpoint.mayWait ? preferredWait(req) * SECOND_MS : 0);
      const { status, body, headers } = await withDeadline(endpoint.answer(parts, req), limitMs, endpoint.path);
      sendJson(res, { status, body, headers });
    } catch (error) {
      sendError(res, error, endpoint.path);
    }
  };
}
