import { type Bug, one } from './bug.js';

const MIRROR = 'apps/api/mirror/mirror.ts';
const TURN_BATCH = 'apps/api/batching/turn-batch.ts';
const SALE_WAITERS = 'apps/api/waiting/sale-waiters.ts';
const FOLLOWED_SALE = 'core/redis/feed/followed-sale.ts';

/** Bugs in the API: its batches, its memory, its waits and its limits. */
export const API_BUGS: Bug[] = [
  one(
    'a mirror answers although Redis has not confirmed it',
    { file: MIRROR, find: '    if (nowMs > this.#goodUntilMs) return undefined;\n', replace: '' },
    {
      kind: 'unit',
      file: 'apps/mirror/mirror',
      title: 'a mirror that Redis has not confirmed for a second answers nothing',
    },
  ),
  one(
    'a mirror goes on after a change that it has missed',
    { file: MIRROR, find: 'change.since > this.#standing.version + 1 || ', replace: '' },
    { kind: 'unit', file: 'apps/mirror/mirror', title: 'after a missed one ends the mirror' },
  ),
  one(
    'a mirror that is behind Redis refuses buyers',
    { file: MIRROR, find: '    if (this.#needed > version) return;\n', replace: '' },
    { kind: 'unit', file: 'apps/mirror/mirror', title: 'nobody while it is behind a version that Redis has reported' },
  ),
  one(
    'a mirror refuses buyers who hold a claim',
    { file: MIRROR, find: '    if (this.#holders.has(key)) return undefined;\n', replace: '' },
    { kind: 'unit', file: 'apps/mirror/mirror', title: 'nobody who holds a claim or is on standby' },
  ),
  one(
    'changes that come while a sale is copied are lost',
    {
      file: 'apps/api/mirror/copying.ts',
      find: 'this.#buffered.every(change => mirror.apply(change))',
      replace: 'true',
    },
    { kind: 'integration', file: 'feed/mirrors', title: 'with the changes that came while the sale was read' },
  ),
  one(
    'the feed does not notice that it has missed messages',
    { file: FOLLOWED_SALE, find: 'this.#hearing && this.#heard < this.#due', replace: 'false' },
    { kind: 'unit', file: 'core/redis/followed-sale', title: 'may be on its way until the next comparison' },
  ),
  one(
    'messages before a subscription count as missed',
    {
      file: FOLLOWED_SALE,
      find: '    if (this.#heard === 0) this.#heard = pulse.published;\n',
      replace: '',
    },
    { kind: 'unit', file: 'core/redis/followed-sale', title: 'before the subscription is not missed' },
  ),
  one(
    'a message that cannot be read counts as received',
    {
      file: 'core/redis/feed/feed.ts',
      find: '      this.#onError(error as Error);\n      sale.goDeaf();\n',
      replace: '      this.#onError(error as Error);\n',
    },
    { kind: 'integration', file: 'feed/feed', title: 'after a message that it cannot read' },
  ),
  one(
    'a feed that cannot ask Redis for its counts counts as hearing',
    { file: 'core/redis/feed/feed.ts', find: '        this.#goDeaf();\n', replace: '' },
    { kind: 'integration', file: 'feed/feed', title: 'while it cannot compare the counts' },
  ),
  one(
    'changes that came too soon for a message wait for the next one',
    {
      file: FOLLOWED_SALE,
      find: 'listener.changed(change);\n    this.#askSoon();\n',
      replace: 'listener.changed(change);\n',
    },
    { kind: 'unit', file: 'core/redis/followed-sale', title: 'are asked for 25 ms after the last message' },
  ),
  one(
    'a message hides a gap in its versions',
    {
      file: 'core/redis/lua/include/changes.lua',
      find: 'if version - 1 ~= tonumber(head[1]) then',
      replace: 'if not since then',
    },
    { kind: 'integration', file: 'feed/gathered', title: 'begins after a gap in the versions' },
  ),
  one(
    'a message leaves out the changes that waited for it',
    {
      file: 'core/redis/lua/include/changes.lua',
      find: "not is_early and redis.call('EXISTS', key) == 0",
      replace: 'not is_early',
    },
    { kind: 'integration', file: 'feed/gathered', title: 'every API hears each change once, in order' },
  ),
  one(
    'the buyers of a batch get each other’s results',
    { file: TURN_BATCH, find: 'answer(results[i], failure)', replace: 'answer(results.at(-1), failure)' },
    { kind: 'unit', file: 'apps/turn-batch', title: 'are one call per sale, in the order they came' },
  ),
  one(
    'the bound on waiting requests is off by one',
    {
      file: TURN_BATCH,
      find: 'this.#waiting >= this.#limits.waitingMax',
      replace: 'this.#waiting > this.#limits.waitingMax',
    },
    { kind: 'unit', file: 'apps/turn-batch', title: 'refuses the next request of any sale at once' },
  ),
  one(
    'a pause wakes nobody who waits',
    {
      file: SALE_WAITERS,
      find: '      this.#state = state;\n      this.wakeAll();\n',
      replace: '      this.#state = state;\n',
    },
    { kind: 'unit', file: 'apps/waiting/sale-waiters', title: 'are all woken by another state of the sale' },
  ),
  one(
    'buyers who wait are woken before the cached sale is forgotten',
    {
      file: SALE_WAITERS,
      find: '    this.#onSaleChanged();\n    for (const waiters of this.#byBuyer.values()) waiters.wake();\n',
      replace: '    for (const waiters of this.#byBuyer.values()) waiters.wake();\n    this.#onSaleChanged();\n',
    },
    { kind: 'unit', file: 'apps/waiting/sale-waiters', title: 'are all woken by another state of the sale' },
  ),
  one(
    'any number of requests may wait',
    { file: 'apps/api/waiting/waiters.ts', find: 'this.#count >= WAITERS_MAX', replace: 'this.#count < 0' },
    { kind: 'unit', file: 'apps/waiting/sale-waiters', title: 'are 10,000 at most' },
  ),
  one(
    'a refused payment does not end a wait',
    { file: 'apps/api/waiting/news.ts', find: ' || before.reason !== now.reason', replace: '' },
    { kind: 'unit', file: 'apps/waiting/until-news', title: 'with a refused payment' },
  ),
  one(
    'a burst of clicks counts as overload',
    { file: 'apps/api/load/loop-delay.ts', find: 'Math.min(this.#leastMs, delayMs)', replace: 'delayMs' },
    { kind: 'unit', file: 'apps/loop-delay', title: 'a burst is none, as it leaves a turn short' },
  ),
  one(
    'API processes that have ended still share the limits of a buyer',
    {
      file: 'core/redis/api-processes.ts',
      find: "    .zremrangebyscore(key, '-inf', nowMs - SILENT_MS)\n",
      replace: '',
    },
    {
      kind: 'integration',
      file: 'redis/api-processes',
      title: 'a process counts until three signs of life are missing',
    },
  ),
  one(
    'an event of a provider is tried as often as any other job',
    { file: 'core/queue/enqueue.ts', find: '    attempts: EVENT_ATTEMPTS,\n', replace: '' },
    { kind: 'integration', file: 'api/payment-webhook', title: 'an event is retried for more than three hours' },
  ),
  one(
    'the receipt of an old claim brings it back after a later one',
    {
      file: 'apps/api/answers/lost-claim.ts',
      find: '!isLive(claim.status) && claim.claimId < receipt.claimId',
      replace: '!isLive(claim.status)',
    },
    {
      kind: 'integration',
      file: 'api/order-status',
      title: 'of a claim that ended before a later one restores nothing',
    },
  ),
  one(
    'the API queues a payment that was asked for too late',
    { file: 'apps/api/routes/pay.ts', find: 'if (!inTime) throw', replace: 'if (inTime === undefined) throw' },
    { kind: 'integration', file: 'api/pay-cancel', title: 'an order whose time to pay is over' },
  ),
  {
    bug: 'nothing is shed after a reading of Redis that failed',
    edits: [
      {
        file: 'apps/api/load/server-load.ts',
        find: '      this.#levels = new Map(levels.filter(([, level]) => level > 0));\n',
        replace:
          '      this.#levels = new Map(levels.filter(([, level]) => level > 0));\n      this.#reading = false;\n',
      },
      {
        file: 'apps/api/load/server-load.ts',
        find: '    } finally {\n      this.#reading = false;\n    }\n',
        replace: '    }\n',
      },
    ],
    caughtBy: {
      kind: 'integration',
      file: 'api-faults/shedding',
      title: 'is noticed after a reading of the outboxes that failed',
    },
  },
  one(
    'a mirror that was made before the sale opens never refuses anybody',
    {
      file: 'apps/api/mirror/mirror.ts',
      find: '    this.#clockOffsetMs = nowMs - performance.now();\n    this.#decide();\n',
      replace: '    this.#clockOffsetMs = nowMs - performance.now();\n',
    },
    { kind: 'unit', file: 'apps/mirror/mirror', title: 'from the opening of the sale on' },
  ),
  one(
    'the page never reads a sale again that it saw open',
    {
      file: 'apps/web/scripts/page.js',
      find: "    announce(texts.begun[now] ?? '');\n    refreshLater({ ok: true });\n",
      replace: "    announce(texts.begun[now] ?? '');\n",
    },
    { kind: 'browser', file: 'opening', title: 'from the opening on, the page shows what is left' },
  ),
  {
    bug: 'the waits of one buyer count as one',
    edits: [
      {
        file: 'apps/api/waiting/waiters.ts',
        find: '  #count = 0;\n',
        replace: '  #count = 0;\n  readonly #buyers = new Set<string>();\n',
      },
      {
        file: 'apps/api/waiting/waiters.ts',
        find: '    this.#count += 1;\n',
        replace: '    if (!this.#buyers.has(buyerId)) this.#count += 1;\n    this.#buyers.add(buyerId);\n',
      },
    ],
    caughtBy: { kind: 'unit', file: 'apps/waiting/waiters', title: 'each wait counts, also several of one buyer' },
  },
  one(
    'a wait that is opened after the close stays open',
    { file: 'apps/api/waiting/waiters.ts', find: '    if (this.#closed) waiter.leave();\n', replace: '' },
    {
      kind: 'unit',
      file: 'apps/waiting/waiters',
      title: 'a waiter that is opened after the close has ended already',
    },
  ),
  one(
    'a buyer who is promoted gets no receipt',
    {
      file: 'apps/api/answers/look-up.ts',
      find: 'return receipt?.startsWith(claimId) ?',
      replace: "return receipt !== '' || receipt.startsWith(claimId) ?",
    },
    {
      kind: 'integration',
      file: 'api-faults/lost-claim',
      title: 'a buyer who was promoted from standby has a receipt of the claim',
    },
  ),
];
