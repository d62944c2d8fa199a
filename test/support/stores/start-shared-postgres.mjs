// Jest loads this file without a transform, so it is plain JavaScript. A TypeScript process holds the server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

let stop = async () => {};

/** Starts the Postgres that all files of integration tests share, unless it is given. Jest's workers inherit its URL. */
export default async function startSharedPostgres() {
  if (process.env.SHARED_POSTGRES) return;
  const args = ['--conditions=source', '--import', 'tsx', 'test/support/stores/hold-postgres.ts'];
  // The cache of tsx would leave a folder behind.
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
  const holder = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const url = once(createInterface(holder.stdout), 'line').then(([line]) => line);
  const ended = once(holder, 'close');
  process.env.SHARED_POSTGRES = await Promise.race([url, ended.then(() => undefined)]);
  if (!process.env.SHARED_POSTGRES) throw new Error('the Postgres of the integration tests did not start: see above');
  stop = async () => {
    holder.stdin.end();
    await ended;
  };
}

/** Stops the shared Postgres after the last file. */
export const stopSharedPostgres = () => stop();
