import type { Bug } from './bug.js';
import { IDENTITY_BUGS } from './identity-bugs.js';
import { MONEY_BUGS } from './money-bugs.js';
import { ORDER_BUGS } from './order-bugs.js';
import { POSTGRES_BUGS } from './postgres-bugs.js';
import { REDIS_BUGS } from './redis-bugs.js';
import { REPAIR_BUGS } from './repair-bugs.js';

/** All bugs. Each is made in a copy of the sources. The product has no switch for any of them. */
export const BUGS: Bug[] = [
  ...REDIS_BUGS,
  ...ORDER_BUGS,
  ...MONEY_BUGS,
  ...REPAIR_BUGS,
  ...POSTGRES_BUGS,
  ...IDENTITY_BUGS,
];
