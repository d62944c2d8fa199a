// Jest loads this file without a transform, so it is plain JavaScript. A TypeScript process holds the server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const CHECKOUT = join(import.meta.dirname, '../../..');

let stop = async () => {};

/** Starts the Postgres that all files of integration tests share, unless it is given. Jest's workers inherit its URL. */
export default async function startSharedPostgres() {
  if (process.env.SHARED_POSTGRES) return;
  const postgres = await startHeldPostgres();
  process.env.SHARED_POSTGRES = postgres.url;
  stop = postgres.stop;
}

/** Starts a Postgres with a migrated database. It also ends when this process is killed. */
export async function startHeldPostgres() {
  const args = ['--conditions=source', '--import', 'tsx', 'test/support/stores/hold-postgres.ts'];
  // The cache of tsx would leave a folder behind.
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
  const holder = spawn(process.execPath, args, { cwd: CHECKOUT, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const line = once(createInterface(holder.stdout), 'line').then(([url]) => String(url));
  const ended = once(holder, 'close');
  const url = await Promise.race([line, ended.then(() => '')]);
  if (url === '') throw new Error('the Postgres of the tests did not start: see above');
  return {
    url,
    async stop() {
      holder.stdin.end();
      await ended;
    },
  };
}

/** Stops the shared Postgres after the last file. */
export const stopSharedPostgres = () => stop();
