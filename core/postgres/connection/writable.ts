import pg from 'pg';
import { withDeadline } from '../../rules/clock.js';
import type { PostgresHost } from '../../values/postgres-address.js';
import { configFor, type PostgresClientConfig } from './plan.js';
import { READS_ONLY } from './read-only.js';

/** No server of an address takes writes. The message says why not, for each of them. */
export class NoWritableServer extends Error {
  override readonly name = 'NoWritableServer';
}

/** A server that takes writes, and its timeline, which a promotion raises. */
interface Writable {
  server: PostgresHost;
  timeline: number;
}

/** Longest wait for the other servers after one has answered, in ms. A server that is well answers within some ms. */
const OTHERS_MS = 500;

/**
 * Reads which server of an address takes writes. All of them are asked at once. An old primary that came back after a
 * promotion takes writes as well: of two, the one with the later timeline was promoted.
 *
 * @returns the server; the only one of an address without a question
 * @throws NoWritableServer when none takes writes
 */
export async function readWritable(config: PostgresClientConfig): Promise<PostgresHost> {
  const { hosts } = config.plan.address;
  if (hosts.length === 1) return hosts[0];
  const found: Writable[] = [];
  const answers = hosts.map(async server => found.push(await checkWritable(config, server)));
  try {
    await Promise.any(answers);
    await withDeadline(Promise.allSettled(answers), OTHERS_MS, 'asking the other servers').catch(() => undefined);
    return found.reduce((last, one) => (one.timeline > last.timeline ? one : last)).server;
  } catch (error) {
    const reasons = (error as AggregateError).errors.map((reason, index) => {
      return `${hosts[index]?.host}:${hosts[index]?.port}: ${reason instanceof Error ? reason.message : reason}`;
    });
    throw new NoWritableServer(`no server of DATABASE_URL takes writes (${reasons.join('; ')})`);
  }
}

async function checkWritable(config: PostgresClientConfig, server: PostgresHost): Promise<Writable> {
  const client = new pg.Client({ ...configFor(config, server), query_timeout: config.connectionTimeoutMillis });
  // The caller learns of a lost connection from the failed query.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ timeline: string | null }>(
      `SELECT CASE WHEN ${READS_ONLY} THEN NULL ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`,
    );
    const timeline = rows[0]?.timeline;
    if (!timeline) throw new Error('it is read-only');
    return { server, timeline: Number.parseInt(timeline, 16) };
  } finally {
    client.end().catch(() => undefined);
  }
}
