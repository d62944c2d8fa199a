import pg from 'pg';
import { withDeadline } from '../../rules/clock.js';
import type { PostgresHost } from '../../values/postgres-address.js';
import { configFor, type PostgresClientConfig } from './plan.js';
import type { Writable } from './primary.js';
import { READS_ONLY } from './read-only.js';

/** No server of an address takes writes. The message says why not, for each of them. */
export class NoWritableServer extends Error {
  override readonly name = 'NoWritableServer';
}

/** Longest wait for the other servers after one has answered, in ms. A server that is well answers within some ms. */
const OTHERS_MS = 500;

/**
 * Reads which server of an address takes writes. All of them are asked at once. Of two, Primary chooses.
 *
 * @returns the server; the only one of an address without a question, and with timeline 0
 * @throws NoWritableServer when none takes writes, or none may be used
 */
export async function readWritable(config: PostgresClientConfig): Promise<Pick<Writable, 'server' | 'timeline'>> {
  const { address, primary } = config.plan;
  const { hosts } = address;
  if (hosts.length === 1) return { server: hosts[0], timeline: 0 };
  const found: Writable[] = [];
  const answers = hosts.map(async server => found.push(await checkWritable(config, server)));
  try {
    await Promise.any(answers);
  } catch (error) {
    const { errors } = error as AggregateError;
    const reasons = hosts.map(({ host, port }, index) => `${host}:${port}: ${textOf(errors[index])}`);
    throw new NoWritableServer(`no server of DATABASE_URL takes writes (${reasons.join('; ')})`);
  }
  await withDeadline(Promise.allSettled(answers), OTHERS_MS, 'asking the other servers').catch(() => undefined);
  try {
    return primary.choose(found);
  } catch (error) {
    throw new NoWritableServer(`no server of DATABASE_URL takes writes that may be used (${textOf(error)})`);
  }
}

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

async function checkWritable(config: PostgresClientConfig, server: PostgresHost): Promise<Writable> {
  const client = new pg.Client({ ...configFor(config, server), query_timeout: config.connectionTimeoutMillis });
  // The caller learns of a lost connection from the failed query.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ timeline: string | null; cluster: string; startedAt: string }>(`
      SELECT CASE WHEN ${READS_ONLY} THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline,
             system_identifier::text AS cluster, extract(epoch FROM pg_postmaster_start_time())::text AS "startedAt"
      FROM pg_control_system()`);
    const [row] = rows;
    if (!row?.timeline) throw new Error('it is read-only');
    return { server, ...row, timeline: Number.parseInt(row.timeline, 16) };
  } finally {
    client.end().catch(() => undefined);
  }
}
