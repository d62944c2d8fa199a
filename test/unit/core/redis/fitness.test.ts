import { describe, expect, test } from '@jest/globals';
import { ofBucket, unfitness } from '#core/redis/server/fitness.js';

const FIT = { isReplica: false, isCluster: false, policy: 'noeviction' };
const ALONE = { isOfCluster: false };
const OF_CLUSTER = { isOfCluster: true };

describe('a Redis', () => {
  test.each([
    ['alone', FIT, ALONE],
    ['that is a node of a cluster', { ...FIT, isCluster: true }, OF_CLUSTER],
    // Such a server is left, and the one that takes over is fit.
    ['that is a replica', { ...FIT, isReplica: true }, ALONE],
  ])('%s can hold a sale', (_, facts, connection) => {
    expect(unfitness(facts, connection)).toBeUndefined();
  });

  test('that is a node of a cluster is refused by a connection to one Redis', () => {
    expect(unfitness({ ...FIT, isCluster: true }, ALONE)).toMatch(/^REDIS_URL leads to a Redis Cluster/);
  });

  test.each(['allkeys-lru', 'volatile-ttl', undefined])('with maxmemory-policy %s may lose claims', policy => {
    for (const connection of [ALONE, OF_CLUSTER]) {
      expect(unfitness({ ...FIT, isCluster: connection.isOfCluster, policy }, connection)).toContain(String(policy));
    }
  });
});

test('a message names the bucket of a node, and none of a Redis that has all', () => {
  expect(ofBucket({ ...OF_CLUSTER, tags: ['{b07}'] })).toBe(' (bucket b07)');
  expect(ofBucket({ ...ALONE, tags: ['{b00}', '{b01}'] })).toBe('');
});
