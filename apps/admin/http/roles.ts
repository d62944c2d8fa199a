import type { RequestHandler } from 'express';
import { ROLES, type Role } from '#core/identity/operators.js';
import { Problem } from '#core/rules/errors.js';
import { hasRole, isRead } from './caller.js';

/** The role that a change needs, by the first segment of its path. Every operator may read everything. */
const ROLE_OF_CHANGES: ReadonlyMap<string, Role> = new Map([
  ['sales', 'operate'],
  ['queues', 'operate'],
  ['orders', 'money'],
  ['webhooks', 'money'],
]);

/**
 * Refuses changes for which the operator lacks the role. Express ignores case in paths, so this does, too. A change
 * that is missing in the table needs every role.
 */
export const requireRole: RequestHandler = (req, res, next) => {
  const role = ROLE_OF_CHANGES.get(req.path.split('/')[1]?.toLowerCase() ?? '');
  const lacking = (role ? [role] : ROLES).filter(needed => !hasRole(res, needed));
  if (isRead(req) || lacking.length === 0) return next();
  throw new Problem('forbidden_role', { detail: `this needs the role ${lacking.join(' and ')}` });
};
