import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Operator, Role } from '#core/identity/operators.js';
import type { Logger } from '#core/process/logger.js';

/** The form of a request id that a proxy may set. Anything else is replaced, so that it can't disturb a log. */
const REQUEST_ID = /^[\w.-]{1,64}$/;

/** The most characters of `X-Forwarded-For` in a log line: eight IPv6 addresses. */
const FORWARDED_MAX = 320;

/** The fields by which a log line names the sender of a request. */
export interface Caller {
  /** The operator's name; none before the login. */
  operator?: string;
  /** The address of the connection, which is that of a proxy if there is one. */
  address: string | undefined;
  /** The header `X-Forwarded-For` as it came: true if a proxy overwrites it, else the sender's own claim. */
  forwardedFor?: string;
  requestId: string;
}

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** Tells whether a request only reads, by its method. */
export function isRead({ method }: Request): boolean {
  return READS.includes(method);
}

/** Gives each request an id: that of a proxy (`X-Request-Id`), or a new one. The answer repeats it. */
export const nameRequest: RequestHandler = (req, res, next) => {
  const given = req.get('x-request-id') ?? '';
  const requestId = REQUEST_ID.test(given) ? given : randomUUID();
  res.locals.requestId = requestId;
  res.setHeader('x-request-id', requestId);
  next();
};

/** Remembers the operator who sent a request. */
export function setOperator(res: Response, operator: Operator): void {
  res.locals.operator = operator;
}

/**
 * Tells whether the operator who sent a request has a role. Every operator has the role `read`.
 *
 * @param res behind the login
 */
export function hasRole(res: Response, role: Role): boolean {
  const operator = res.locals.operator as Operator;
  return role === 'read' || operator.roles.includes(role);
}

/** Returns the fields by which a log line names the sender of the request that `res` answers. */
export function callerOf(res: Response): Caller {
  const { req } = res;
  const operator = res.locals.operator as Operator | undefined;
  const forwarded = req.get('x-forwarded-for');
  return {
    ...(operator && { operator: operator.name }),
    address: req.socket.remoteAddress,
    ...(forwarded !== undefined && { forwardedFor: forwarded.slice(0, FORWARDED_MAX) }),
    requestId: res.locals.requestId as string,
  };
}

/**
 * Logs each requested change before it is made or refused, so that no crash and no lost connection hides the attempt.
 * The outcome is another line with the same request id.
 */
export function logChanges(log: Logger): RequestHandler {
  return (req, res, next) => {
    const path = req.originalUrl.split('?', 1)[0];
    if (!isRead(req)) log.info({ ...callerOf(res), method: req.method, path }, 'change requested by an operator');
    next();
  };
}
