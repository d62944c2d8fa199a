import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { type PrivateStores, startClusterStores } from '#stack/stores/private-stores.js';
import { askNode, type RedisCluster } from '#stack/stores/redis-cluster.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { sendSteadyBuyers } from '../../chaos/workload/steady-buyers.js';
import { cli } from '../../support/command.js';
import { eventually } from '../../support/eventually.js';
import { Installation } from './installation.js';

// A running installation moves from one Redis to a Redis Cluster, as docs/operations.md says, while a crowd buys.

const PASSWORD = '0123456789abcdef';
const WAIT_MS = 60_000;
const BUYER_EVERY_MS = 40;

let folder: string;
let alone: RedisServer;
let stores: PrivateStores<RedisCluster>;
let t: Installation;
/** Leads to the cluster as the user of the processes in deploy/redis. */
let leastRightsUrl: string;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  alone = await startRedis({ dir: folder });
  stores = await startClusterStores({ primaries: 3 });
  leastRightsUrl = await addUser(stores.redis);
  t = await Installation.start(alone.url, stores.databaseUrl);
}, 180_000);
afterAll(async () => {
  await t?.stop();
  await stores?.stop();
  await alone?.stop();
  if (folder) await removeTemporaryFolder(folder);
}, 60_000);

/** Gives the user of deploy/redis/users.acl to all nodes. */
async function addUser({ url, nodes }: RedisCluster): Promise<string> {
  const acl = readFileSync(join(checkout, 'deploy/redis/users.acl'), 'utf8').replace('>PASSWORD', `>${PASSWORD}`);
  const [, name = '', rules = ''] = /^user (dropline) (.*)$/m.exec(acl) ?? [];
  for (const node of nodes) await askNode(node, client => client.acl('SETUSER', name, ...rules.split(' ')));
  return url.replace('//', `//${name}:${PASSWORD}@`);
}

test('a running installation moves from one Redis to a cluster, and no accepted claim is lost', async () => {
  const { id: saleId } = await t.open({ id: 'moved', units: 5_000, payWithinSeconds: 20 });
  const buyers = sendSteadyBuyers(t.client, saleId, BUYER_EVERY_MS);
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(50), WAIT_MS);

  await t.stopApis();
  await eventually(async () => {
    const metrics = (await (await fetch(`${t.workerUrl}/metrics`)).text()).split('\n');
    expect(metrics).toContain('dropline_outbox_oldest_seconds 0');
    expect(metrics).toContain('dropline_pay_clicks_oldest_seconds 0');
  }, WAIT_MS);
  await t.stopWorker();
  const before = buyers.accepted();
  await t.connect(leastRightsUrl);
  await t.startProcesses(leastRightsUrl);

  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(before + 50), WAIT_MS);
  await buyers.end();
  await t.expectAllKept({ redisLostData: false });
  const env = { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl };
  const audited = await cli(['audit', saleId], env);
  expect(audited).toMatchObject({ exitCode: 0 });
}, 240_000);
