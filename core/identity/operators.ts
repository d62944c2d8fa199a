import { ConfigError } from '../process/config.js';
import { digestOf, parseHolders, type TokenHolder, TokenHolders } from './token-holders.js';

/**
 * The roles of operators. `read` sees everything in the console. `operate` changes sales and queues, `money` refunds
 * orders and repeats webhooks to the shop; both include `read`.
 */
export const ROLES = ['read', 'operate', 'money'] as const;

/** A role of an operator. */
export type Role = (typeof ROLES)[number];

/** A person or a program that may use the console. */
export type Operator = TokenHolder<Role>;

/** The operators of the console, by token and by name. */
export type Operators = TokenHolders<Role>;

/** The name of the operator whose token is the setting ADMIN_TOKEN. */
const ADMIN = 'admin';

/**
 * Reads the operators from the settings: `admin` with ADMIN_TOKEN and every role, and the entries of OPERATORS.
 *
 * @throws ConfigError when there is no operator, or an entry is wrong
 */
export function readOperators(settings: {
  ADMIN_TOKEN?: string | undefined;
  OPERATORS?: string | undefined;
}): Operators {
  const { ADMIN_TOKEN: token, OPERATORS: entries } = settings;
  const admin = token === undefined ? [] : [{ name: ADMIN, roles: ROLES, digest: digestOf(token) }];
  const operators = [...admin, ...parseHolders('OPERATORS', entries ?? '', ROLES)];
  if (operators.length > 0) return new TokenHolders(operators);
  throw new ConfigError('nobody could log in: set ADMIN_TOKEN or OPERATORS (see .env.example)');
}
