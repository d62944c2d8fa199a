import pg from 'pg';
import type { PostgresHost } from '../../values/postgres-address.js';
import { configFor, type PostgresClientConfig } from './plan.js';

/** No server of an address takes writes. The message says why not, for each of them. */
export class NoWritableServer extends Error {
  override readonly name = 'NoWritableServer';
}

/** Reads whether a server refuses writes: a standby, or one that its operator made read-only. */
export const READS_ONLY = `pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean`;

/**
 * Reads which server of an address takes writes. All of them are asked at once, so one that hangs delays nobody.
 *
 * @returns the first server that answers and takes writes; the only one of an address without a question
 * @throws NoWritableServer when none does
 */
export async function readWritable(config: PostgresClientConfig): Promise<PostgresHost> {
  const { hosts } = config.plan.address;
  if (hosts.length === 1) return hosts[0];
  try {
    return await Promise.any(hosts.map(server => checkWritable(config, server)));
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((reason, index) => {
      return `${hosts[index]?.host}:${hosts[index]?.port}: ${reason instanceof Error ? reason.message : reason}`;
    });
    throw new NoWritableServer(`no server of DATABASE_URL takes writes (${reasons.join('; ')})`);
  }
}

async function checkWritable(config: PostgresClientConfig, server: PostgresHost): Promise<PostgresHost> {
  const client = new pg.Client({ ...configFor(config, server), query_timeout: config.connectionTimeoutMillis });
  // The caller learns of a lost connection from the failed query.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ readonly: boolean }>(`SELECT ${READS_ONLY} AS readonly`);
    if (rows[0]?.readonly !== false) throw new Error('it is read-only');
    return server;
  } finally {
    client.end().catch(() => undefined);
  }
}
