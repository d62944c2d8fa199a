import { type Bug, one } from '../bug.js';

/** Bugs in the way to the stores. */
export const REDIS_STORE_BUGS: Bug[] = [
  one(
    'a connection stays on a Redis that has become a replica',
    {
      file: 'core/redis/server/watch.ts',
      find: "if (info.includes('role:slave'))",
      replace: "if (info === '')",
    },
    { kind: 'stores', file: 'connection', title: 'a connection that subscribes leaves a demoted server' },
  ),
  one(
    'READONLY is waited out',
    {
      file: 'core/redis/server/watch.ts',
      find: '/^(READONLY|MASTERDOWN|LOADING|MOVED|CLUSTERDOWN)\\b/',
      replace: '/^(MASTERDOWN|LOADING|MOVED|CLUSTERDOWN)\\b/',
    },
    { kind: 'stores', file: 'connection', title: 'the first READONLY is the last one' },
  ),
  one(
    'a connection waits for a frozen Redis',
    {
      file: 'core/redis/server/watch.ts',
      find: 'if (unansweredMs > silentMs) {',
      replace: 'if (unansweredMs < 0) {',
    },
    { kind: 'stores', file: 'connection', title: 'a connection and its duplicate leave a frozen server' },
  ),
  one(
    'a missing database becomes database 0',
    {
      file: 'core/redis/server/watch.ts',
      find: 'if (isFailedSelect(error)) this.#hasNoDatabase = true;',
      replace: 'if (isFailedSelect(error)) this.#hasNoDatabase = false;',
    },
    { kind: 'stores', file: 'connection', title: 'a database that does not exist is refused by name' },
  ),
  one(
    'the first Sentinel is believed',
    {
      file: 'core/redis/server/sentinels.ts',
      find: 'nominations.sort((a, b) => b.epoch - a.epoch)',
      replace: 'nominations',
    },
    { kind: 'stores', file: 'sentinel-connection', title: 'a failover that an operator orders moves every connection' },
  ),
  one(
    'no headroom: clicks are accepted until Redis is full',
    {
      file: 'apps/api/load/load.ts',
      find: "kind === 'claim' && server?.fullness.refusesClicks",
      replace: "kind === 'claim' && Number(server?.fullness.ratio) >= 1",
    },
    { kind: 'integration', file: 'api-faults/shedding', title: 'sheds clicks and nothing else' },
  ),
  one(
    'headroom is said to be back while clicks are still refused',
    {
      file: 'core/redis/server/memory.ts',
      find: 'if (!this.#refusesClicks) return undefined;',
      replace: 'if (this.#ratio < REDIS_NEARLY_FULL) return undefined;',
    },
    {
      kind: 'integration',
      file: 'api-faults/shedding',
      title: 'says that clicks are refused until they are accepted',
    },
  ),
  {
    bug: 'a connection to a Redis Cluster stays on the node that had its slot at first',
    edits: [
      {
        file: 'core/redis/cluster.ts',
        find: "  movedReason: 'the cluster names another node',",
        replace: '  movedReason: undefined,',
      },
      {
        file: 'core/redis/server/watch.ts',
        find: '/^(READONLY|MASTERDOWN|LOADING|MOVED|CLUSTERDOWN)\\b/',
        replace: '/^(READONLY|MASTERDOWN|LOADING|CLUSTERDOWN)\\b/',
      },
    ],
    caughtBy: { kind: 'integration', file: 'redis/moved-slot', title: 'a sale is sold by its new node' },
  },
  {
    bug: 'scripts on a Redis Cluster name no key that never exists',
    edits: [
      {
        file: 'core/redis/scripts.ts',
        find: 'numberOfKeys: KEY_COUNT[name] + redis.guards.length',
        replace: 'numberOfKeys: KEY_COUNT[name]',
      },
      { file: 'core/redis/scripts.ts', find: '...redis.guards, ...args', replace: '...args' },
    ],
    caughtBy: { kind: 'integration', file: 'redis/moved-slot', title: 'no script runs on a part of a sale' },
  },
  one(
    'the Sentinels are never asked again after a question that failed',
    {
      file: 'core/redis/server/watch.ts',
      find: '    this.#isLocating = false;\n    if (!address) return;\n',
      replace: '    if (!address) return;\n    this.#isLocating = false;\n',
    },
    {
      kind: 'stores',
      file: 'sentinel-connection',
      title: 'a connection follows a Sentinel that named no primary for a while',
    },
  ),
  one(
    'nodes of two clusters are taken for one',
    {
      file: 'core/redis/server/cluster-nodes.ts',
      find: 'if (strangers) {',
      replace: 'if (strangers?.length === 0) {',
    },
    { kind: 'integration', file: 'cluster/connections', title: 'nodes of two clusters are refused' },
  ),
  one(
    'an API that has ended leaves the questions of its feed open',
    { file: 'core/redis/feed/feeds.ts', find: '    this.#subscribers.disconnect();\n', replace: '' },
    { kind: 'integration', file: 'cluster/connections', title: 'an API that has ended leaves no connection' },
  ),
];
