// Jest loads this as it is, so it is plain JavaScript, and the server belongs to a process that isn't.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

let stop;

/** Before the first file of integration tests; jest's workers inherit where it is. */
export default async function startSharedPostgres() {
  const args = ['--conditions=source', '--import', 'tsx', 'test/support/stores/hold-postgres.ts'];
  // Its cache would be a folder that stays in the temporary one.
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

/** After the last file. */
export const stopSharedPostgres = () => stop();
