import { type Bug, lua, one } from '../bug.js';

const CLAIM = 'core/redis/claims/claim.ts';
const rules = (title: string) => ({ kind: 'stores', file: 'cluster/purchase-rules', title }) as const;
const crashes = (title: string) => ({ kind: 'stores', file: 'cluster/lock-crashes', title }) as const;

/** A time until which a claim believes that it has its locks. */
const FAR = "'9999999999999'";

/** Bugs in the rules about one buyer across the sales of a Redis Cluster. */
export const LOCK_BUGS: Bug[] = [
  one(
    'a lock is taken after the claim',
    {
      file: CLAIM,
      find: '(await ask()) as',
      replace: `(await ask(${FAR})) as`,
    },
    rules('exactly one buy is won'),
  ),
  one(
    'the lock of a claim is not confirmed',
    {
      file: 'core/redis/purchases/reservation.ts',
      find: 'confirmLocks(this.#redis, locked, this.#token)',
      replace: 'confirmLocks(this.#redis, locked.slice(locked.length), this.#token)',
    },
    rules('the lock holds the claim’s id'),
  ),
  one(
    'buyers who win nothing keep their locks',
    {
      file: 'core/redis/purchases/reservation.ts',
      find: 'giveBackLocks(this.#redis, free)',
      replace: 'giveBackLocks(this.#redis, free.slice(free.length))',
    },
    rules('buyers who win nothing leave no lock'),
  ),
  one(
    'no worker confirms the lock of a claim whose API has died',
    {
      file: 'core/redis/purchases/purchases.ts',
      find: 'part.map(order => timesLeft(order, rules))',
      replace: 'part.slice(part.length).map(order => timesLeft(order, rules))',
    },
    crashes('a claim whose API dies before it confirms the lock'),
  ),
  one(
    'a lock that nobody confirms stays',
    { file: lua('take-locks'), find: "    redis.call('PEXPIRE', key, lifetime)\n", replace: '' },
    rules('keeps the buyer from other sales for 30 s at most'),
  ),
  one(
    'a late API gives a buyer the lock of an ended purchase again',
    {
      file: lua('confirm-locks'),
      find: "local is_free = ARGV[2] == '' and redis.call('EXISTS', lock) == 0",
      replace: "local is_free = redis.call('EXISTS', lock) == 0",
    },
    rules('takes no lock that a claim has, and gives none back'),
  ),
  one(
    'the end of a purchase takes the lock of the next one',
    {
      file: lua('give-back-locks'),
      find: "type_of(lock) == 'string' and redis.call('GET', lock) == holder",
      replace: "type_of(lock) == 'string'",
    },
    rules('the end of a purchase leaves the lock of the next one'),
  ),
  one(
    'a claim is made however long ago its locks were taken',
    {
      file: 'core/redis/lua/include/purchases.lua',
      find: 'if not until_ms or now > tonumber(until_ms) then',
      replace: 'if not until_ms then',
    },
    rules('makes no claim any more after 5 s'),
  ),
  one(
    'the lock of a paid purchase is not given back',
    {
      file: 'core/redis/claims/status.ts',
      find: 'outcomes[i] === IS_OVER)',
      replace: "outcomes[i] === IS_OVER && records[i]?.status !== 'paid')",
    },
    rules('a sale on another node is refused until the first purchase is paid'),
  ),
];
