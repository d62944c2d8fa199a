import { connectDatabase, type Database } from '#core/postgres/database.js';
import { isMigrated } from '#core/postgres/migrate/migrated.js';
import { readCommandConfig } from '#core/process/config.js';
import { createLogger } from '#core/process/logger.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';
import { CommandError, tellOf } from './failure.js';

/** A Redis that restarts is back within this time, in ms. A person at a terminal doesn't want to wait longer. */
const REDIS_READY_MS = 3 * SECOND_MS;

/** Time limit for closing a client, in ms. The command has already ended. */
const CLOSE_MS = SECOND_MS;

/** Commands run one statement at a time; an audit runs two, and one connection is spare. */
const DATABASE_CONNECTIONS = 3;

/**
 * Runs a command that needs Postgres only.
 *
 * @throws ConfigError; CommandError when Postgres doesn't answer or has no tables; every error of `work`
 */
export async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const { DATABASE_URL } = readCommandConfig(['DATABASE_URL']);
  // Only the worker knows whether the shop takes webhooks. An operator's changes are rare, so each one writes a notice.
  const db = connectDatabase(DATABASE_URL, { connections: DATABASE_CONNECTIONS, tellsShop: true });
  try {
    await checkDatabase(db, DATABASE_URL);
    return await work(db);
  } finally {
    await closed(db.$disconnect());
  }
}

/**
 * Runs a command that needs both stores.
 *
 * @throws ConfigError; CommandError when a store doesn't answer; every error of `work`
 */
export async function withStores<T>(work: (ctx: StepContext) => Promise<T>): Promise<T> {
  const { REDIS_URL } = readCommandConfig(['REDIS_URL', 'DATABASE_URL']);
  return withDatabase(async db => {
    let lost: Error | undefined;
    const onError = (error: Error) => {
      lost = error;
    };
    const redis = connectRedis(REDIS_URL, 'steps', onError);
    try {
      await checkRedis(redis, REDIS_URL, () => lost);
      defineScripts(redis);
      const queues = createQueues(redis, onError);
      try {
        // Silent: a command reports by its output and its exit code.
        return await work({ redis, db, queues, log: createLogger('cli', 'silent') });
      } finally {
        await closed(closeQueues(queues));
      }
    } finally {
      redis.disconnect();
    }
  });
}

async function checkDatabase(db: Database, url: string): Promise<void> {
  const migrated = await isMigrated(db).catch(error => {
    throw new CommandError(
      `Postgres at ${hostOf(url)} does not answer (${tellOf(error)}): start it, or set DATABASE_URL`,
    );
  });
  if (!migrated) throw new CommandError('the database has no tables yet: run `npm run cli -- migrate` first');
}

async function checkRedis(redis: Redis, url: string, lost: () => Error | undefined): Promise<void> {
  await waitUntilReady(redis, REDIS_READY_MS).catch(error => {
    const why = tellOf(lost() ?? error);
    throw new CommandError(`Redis at ${hostOf(url)} does not answer (${why}): start it, or set REDIS_URL`);
  });
}

/** Returns host and port of a URL. The whole URL may hold a password. */
function hostOf(url: string): string {
  return new URL(url).host;
}

async function closed(closing: Promise<unknown>): Promise<void> {
  await withDeadline(closing, CLOSE_MS, 'closing').catch(() => undefined);
}
