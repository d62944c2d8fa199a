import { API_BUGS } from './api-bugs.js';
import type { Bug } from './bug.js';
import { DRAW_BUGS } from './draw-bugs.js';
import { EDGE_BUGS } from './edge-bugs.js';
import { IDENTITY_BUGS } from './identity-bugs.js';
import { MARK_BUGS } from './mark-bugs.js';
import { AUDIT_BUGS } from './money/audit-bugs.js';
import { PAYMENT_BUGS } from './money/payment-bugs.js';
import { REFUND_BUGS } from './money/refund-bugs.js';
import { STRIKE_BUGS } from './money/strike-bugs.js';
import { ORDER_BUGS } from './order-bugs.js';
import { REDIS_BUGS } from './redis-bugs.js';
import { REPAIR_BUGS } from './repair-bugs.js';
import { GROUP_BUGS } from './robots/group-bugs.js';
import { SIGHT_BUGS } from './robots/sight-bugs.js';
import { LOCK_BUGS } from './stores/lock-bugs.js';
import { POSTGRES_STORE_BUGS } from './stores/postgres-store-bugs.js';
import { REDIS_STORE_BUGS } from './stores/redis-store-bugs.js';
import { VERDICT_BUGS } from './verdict-bugs.js';

/** All bugs. Each is made in a copy of the sources. The product has no switch for any of them. */
export const BUGS: Bug[] = [
  ...REDIS_BUGS,
  ...MARK_BUGS,
  ...ORDER_BUGS,
  ...PAYMENT_BUGS,
  ...REFUND_BUGS,
  ...AUDIT_BUGS,
  ...REPAIR_BUGS,
  ...STRIKE_BUGS,
  ...DRAW_BUGS,
  ...IDENTITY_BUGS,
  ...API_BUGS,
  ...VERDICT_BUGS,
  ...EDGE_BUGS,
  ...REDIS_STORE_BUGS,
  ...LOCK_BUGS,
  ...POSTGRES_STORE_BUGS,
  ...SIGHT_BUGS,
  ...GROUP_BUGS,
];
