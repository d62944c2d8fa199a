import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase } from '#core/postgres/database.js';
import type { PostgresServer } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../../support/eventually.js';
import { createStopped, startOnTimeline } from '../../support/postgres/timeline.js';

// An old primary has come back after a promotion, and two servers take writes. The one with the later timeline was promoted.

let folder: string;
let servers: PostgresServer[] = [];
/** Postgres writes the number of a timeline in hexadecimal: 10 is A, and 16 is 10. */
const [NINTH, TENTH, SIXTEENTH] = [9, 10, 16];

beforeAll(async () => {
  folder = await createTemporaryFolder();
  const { data } = await createStopped({ dir: join(folder, 'original') });
  servers = await Promise.all(
    [NINTH, TENTH, SIXTEENTH].map(timeline => startOnTimeline({ dir: join(folder, `on-${timeline}`) }, data, timeline)),
  );
}, 120_000);
afterAll(async () => {
  await Promise.all(servers.map(server => server.stop()));
  await removeTemporaryFolder(folder);
});

/** Returns the port of the server to which a new connection leads. */
async function chosenPort(ports: readonly number[]): Promise<number | undefined> {
  const hosts = ports.map(port => `127.0.0.1:${port}`).join(',');
  const db = connectDatabase(`postgres://postgres@${hosts}/dropline`, { connections: 1 });
  try {
    const [row] = await db.$queryRaw<{ port: number }[]>`SELECT inet_server_port() AS port`;
    return row?.port;
  } finally {
    await db.$disconnect();
  }
}

/** A server that answers late is not waited for. So the same choice has to come three times in a row. */
const TIMES = 3;
const CHOSEN_WITHIN_MS = 20_000;

test.each([
  ['9 and 10', 0, 1],
  ['10 and 16', 1, 2],
  ['9 and 16', 0, 2],
])('of the timelines %s the later one is chosen, wherever it stands in the address', async (_, earlier, later) => {
  const [old, promoted] = [servers[earlier]?.port ?? 0, servers[later]?.port ?? 0];
  for (const ports of [
    [old, promoted],
    [promoted, old],
  ]) {
    await eventually(async () => {
      const chosen: (number | undefined)[] = [];
      for (let i = 0; i < TIMES; i += 1) chosen.push(await chosenPort(ports));
      expect(chosen).toEqual(Array.from({ length: TIMES }, () => promoted));
    }, CHOSEN_WITHIN_MS);
  }
});
