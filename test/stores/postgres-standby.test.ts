import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '#stack/processes/free-port.js';
import type { PostgresServer } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { useStage } from '../chaos/rig/stage.js';
import { Random } from '../chaos/workload/random.js';
import { visitSale } from '../chaos/workload/visit.js';
import { eventually } from '../support/eventually.js';
import { promote, startStandby } from '../support/postgres/standby.js';
import { type FaultProxy, startFaultProxy } from '../support/stores/fault-proxy.js';

// The primary of Postgres dies in a sale, and its standby becomes the primary. The workers know both servers by DATABASE_URL.

let folder: string;
let standby: PostgresServer;
/** The way of the test to the primary. */
let link: FaultProxy;
/** The port of the standby, which starts after the workers. */
let port: number;
beforeAll(async () => {
  [folder, port] = [await createTemporaryFolder(), await freePort()];
});
const s = useStage({
  databaseUrl: async (databaseUrl, from) => {
    if (from === 'worker') return databaseUrl.replace(/:(\d+)\//, `:$1,127.0.0.1:${port}/`);
    link = await startFaultProxy(databaseUrl);
    return link.through(databaseUrl);
  },
});
beforeAll(async () => {
  standby = await startStandby(s.cluster.databaseUrl, { dir: join(folder, 'standby'), port });
}, 120_000);
afterAll(async () => {
  await standby?.stop();
  await link?.close();
  await removeTemporaryFolder(folder);
});

const readiness = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, text: await response.text() };
};

test('the workers find the promoted standby, and no order is lost', async () => {
  const { id } = await s.open({ units: 80, payWithinSeconds: 20 });
  let buyers = 0;
  const send = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () => {
        buyers += 1;
        const visit = { saleId: id, buyerId: `buyer-${buyers}`, clicks: 2, returns: 0 };
        return visitSale(s.client, new Random(buyers), { ...visit, withUnit: buyers % 2 ? 'cancel' : 'leave' });
      }),
    );
  const early = send(30);
  await eventually(async () => {
    const [row] = await s.query('SELECT count(*) AS orders FROM orders');
    expect(Number(row?.orders)).toBeGreaterThan(5);
  });
  const crowd = send(20);
  await s.node('postgres').kill();
  const meanwhile = send(20);
  const worker = s.cluster.workerUrls[0] ?? '';
  await eventually(async () => expect((await readiness(worker)).status).toBe(503));
  await promote(standby.url);
  link.lead(standby.url);
  await eventually(async () => expect(await readiness(worker)).toMatchObject({ status: 200 }));
  await Promise.all([early, crowd, meanwhile, send(20)]);
  await s.expectAllKept({ redisLostData: false });
}, 180_000);
