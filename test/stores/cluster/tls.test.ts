import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '#core/process/config.js';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { REDIS_SETTINGS } from '#core/redis/server/target.js';
import type { Shards } from '#core/redis/shards.js';
import { freePort } from '#stack/processes/free-port.js';
import { askNode } from '#stack/stores/redis-cluster.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { type Authority, createAuthority } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';

// A Redis Cluster of one node behind TLS, with a CA of one's own and a name that is not its address.

const READY_MS = 30_000;
const NAME = 'redis.internal';

let folder: string;
let node: RedisServer;
let authority: Authority;
let url: string;
const opened: Shards[] = [];

beforeAll(async () => {
  folder = await createTemporaryFolder();
  authority = createAuthority(join(folder, 'authority'));
  const { certFile, keyFile } = authority.sign(NAME);
  const [busPort, tlsPort] = [await freePort(), await freePort()];
  const files = ['--tls-ca-cert-file', authority.caFile, '--tls-cert-file', certFile, '--tls-key-file', keyFile];
  const tls = ['--tls-port', String(tlsPort), '--tls-cluster', 'yes', '--tls-auth-clients', 'no'];
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  node = await startRedis({ dir: join(folder, 'node'), settings: [...cluster, ...tls, ...files] });
  await askNode(node, client => client.cluster('ADDSLOTSRANGE', 0, 16_383));
  await eventually(async () =>
    expect(await askNode(node, client => client.cluster('INFO'))).toContain('cluster_state:ok'),
  );
  url = `rediss+cluster://127.0.0.1:${tlsPort}`;
}, 120_000);
afterAll(async () => {
  for (const redis of opened) redis.disconnect();
  await node?.stop();
  await removeTemporaryFolder(folder);
});

function open(changes: Record<string, string>): { redis: Shards; errors: Error[] } {
  const errors: Error[] = [];
  const settings = { REDIS_URL: url, REDIS_CACERT: authority.ca, REDIS_SNI: NAME, ...changes };
  const redis = connectShards(readConfig(REDIS_SETTINGS, settings), 'steps', error => errors.push(error));
  opened.push(redis);
  return { redis, errors };
}

test('each bucket is reached through TLS, and so is the node that is asked for its owner', async () => {
  const { redis } = open({});
  await Promise.all(redis.shards.map(server => waitUntilReady(server, READY_MS)));
  for (const server of redis.shards) expect(await server.exists(...server.guards)).toBe(0);
  const clients = String(await redis.of('').client('LIST'))
    .split('\n')
    .filter(line => line.includes('laddr='));
  expect(clients.length).toBeGreaterThan(redis.shards.length);
  expect(clients.filter(line => line.includes(`laddr=127.0.0.1:${node.port} `))).toEqual([]);
});

test('without the CA no bucket is reached, and the error says why', async () => {
  const { redis, errors } = open({ REDIS_CACERT: '' });
  await eventually(() =>
    expect(errors.map(({ message }) => message).join()).toMatch(/self-signed certificate|unable to verify/),
  );
  expect(redis.shards.map(({ status }) => status)).not.toContain('ready');
});
