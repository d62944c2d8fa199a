import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem, type ProblemCode } from '#core/rules/errors.js';
import type { ApiContext } from '../context.js';
import { buyerOf } from './buyer.js';
import { ANSWER_MS } from './deadline.js';
import { preferredWait } from './prefer.js';
import { sendError } from './problem.js';
import { sendJson } from './reply.js';

/** What an endpoint takes and gives: it is held to it, and /openapi.json is made from it. */
export interface Contract {
  method: 'get' | 'post';
  /** In Express's form, as `/sales/:saleId`. */
  path: string;
  summary: string;
  params: z.ZodObject;
  query: z.ZodObject;
  /** Its successful answers by HTTP status, each with what it means. */
  replies: Record<number, { description: string; body: z.ZodType }>;
  /** The errors it has of its own, besides those that any call may meet. */
  problems: readonly ProblemCode[];
  /** Whether it demands a buyer's token. */
  forBuyer: boolean;
  /** Whether it keeps to `Prefer: wait=N`. */
  mayWait?: boolean;
  /** Whether its answer has an `ETag`, and can be asked for by what is known of it. */
  tagged?: boolean;
}

/** A successful answer. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface Endpoint extends Contract {
  /** @throws Problem, or what Redis is away with: it is answered as an error */
  answer(ctx: ApiContext, req: Request): Promise<Reply>;
}

type Spec<P extends z.ZodObject, Q extends z.ZodObject> = Omit<Contract, 'params' | 'query' | 'forBuyer'> & {
  params?: P;
  query?: Q;
};

type Input<P extends z.ZodObject, Q extends z.ZodObject> = z.output<P> & z.output<Q>;

/**
 * @param spec its contract
 * @param answer answers, given the checked input
 * @returns an endpoint for everybody
 */
export function publicEndpoint<P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Spec<P, Q>,
  answer: (ctx: ApiContext, input: Input<P, Q>, req: Request) => Promise<Reply>,
): Endpoint {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: false };
  return { ...contract, answer: async (ctx, req) => answer(ctx, inputOf(contract, req) as Input<P, Q>, req) };
}

/**
 * @param spec its contract
 * @param answer answers, given the checked input and the buyer
 * @returns an endpoint for buyers
 */
export function buyerEndpoint<P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Spec<P, Q>,
  answer: (ctx: ApiContext, input: Input<P, Q>, buyerId: string, req: Request) => Promise<Reply>,
): Endpoint {
  const contract = { params: z.object({}), query: z.object({}), ...spec, forBuyer: true };
  return {
    ...contract,
    answer: async (ctx, req) => {
      const input = inputOf(contract, req) as Input<P, Q>;
      return answer(ctx, input, buyerOf(req, ctx.verifyToken), req);
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

/**
 * @param ctx the API's parts
 * @param endpoint what answers
 * @returns the same for Express: it answers in time, whatever the endpoint waits for, besides what the client wants to wait for
 */
export function listenerOf(ctx: ApiContext, endpoint: Endpoint): RequestHandler {
  return async (req, res) => {
    try {
      const limitMs = ANSWER_MS + (endpoint.mayWait ? preferredWait(req) * SECOND_MS : 0);
      const { status, body, headers } = await withDeadline(endpoint.answer(ctx, req), limitMs, endpoint.path);
      sendJson(res, status, body, headers);
    } catch (error) {
      sendError(res, error, endpoint.path);
    }
  };
}
