import type { Database } from '#core/postgres/database.js';
import { ConfigError, readCommandConfig } from '#core/process/config.js';
import type { RedisSettings } from '#core/redis/server/target.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';
import { hostsOf } from '#core/values/postgres-address.js';
import { CommandError, tellOf } from './failure.js';

// The libraries of the stores take most of a start. Only a command that uses a store loads them, when it runs, so help and
// mistakes are answered at once. The files in commands/ import their work from core in the same way.

/**
 * How long a command waits for Redis, in ms. A Redis that restarts is back within this time, and a person at a terminal
 * doesn't want to wait longer.
 */
const REDIS_READY_MS = 3 * SECOND_MS;

/** The time limit for closing a client of Redis or Postgres, in ms. The command's work is already done then. */
const CLOSE_MS = SECOND_MS;

/**
 * A command's connections to Postgres. Commands run one statement at a time; an audit runs two, and one connection is
 * spare.
 */
const DATABASE_CONNECTIONS = 3;

/**
 * Runs the work of a command that needs Postgres only.
 *
 * @throws ConfigError for a wrong setting; CommandError when Postgres doesn't answer or has no tables; every error of
 *   `work`
 */
export async function withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const { DATABASE_URL } = readCommandConfig(['DATABASE_URL']);
  const { connectDatabase } = await import('#core/postgres/database.js');
  const db = connectDatabase(DATABASE_URL, { connections: DATABASE_CONNECTIONS });
  try {
    await checkDatabase(db, DATABASE_URL);
    return await work(db);
  } finally {
    await closed(db.$disconnect());
  }
}

/**
 * Runs the work of a command that needs Redis and Postgres.
 *
 * @throws ConfigError for a wrong setting; CommandError when a store doesn't answer or Postgres has no tables; every
 *   error of `work`
 */
export async function withStores<T>(work: (ctx: StepContext) => Promise<T>): Promise<T> {
  const { REDIS_SETTINGS } = await import('#core/redis/server/target.js');
  const settings = readCommandConfig([...REDIS_SETTINGS, 'DATABASE_URL']);
  const { closeQueues, createQueues } = await import('#core/queue/queues.js');
  const { connectShards } = await import('#core/redis/cluster.js');
  const { defineScripts } = await import('#core/redis/scripts.js');
  const { createLogger } = await import('#core/process/logger.js');
  return withDatabase(async db => {
    let lost: Error | undefined;
    const onError = (error: Error) => {
      lost = error;
    };
    const redis = connectShards(settings, 'steps', onError);
    try {
      defineScripts(redis);
      await checkRedis(redis, settings, () => lost);
      const queues = createQueues(redis, onError);
      try {
        // The log is silent, because a command reports by its output and its exit code.
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
  const { reasonAgainstDatabase } = await import('#core/postgres/fitness.js');
  const reason = await reasonAgainstDatabase(db).catch(error => {
    throw new CommandError(
      `Postgres at ${hostsOf(url)} does not answer (${tellOf(error)}): start it, or set DATABASE_URL`,
    );
  });
  if (reason !== undefined) throw new CommandError(reason);
}

async function checkRedis(redis: Shards, settings: RedisSettings, lost: () => Error | undefined): Promise<void> {
  const { waitForFitRedis } = await import('#core/redis/server/fitness.js');
  const { nameOf, targetOf } = await import('#core/redis/server/target.js');
  await withDeadline(waitForFitRedis(redis), REDIS_READY_MS, 'connecting to Redis').catch(error => {
    if (error instanceof ConfigError) throw error;
    const why = tellOf(lost() ?? error);
    throw new CommandError(
      `Redis at ${nameOf(targetOf(settings))} does not answer (${why}): start it, or set REDIS_URL`,
    );
  });
}

async function closed(closing: Promise<unknown>): Promise<void> {
  await withDeadline(closing, CLOSE_MS, 'closing').catch(() => undefined);
}
