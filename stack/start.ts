import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { type GivenSettings, readConfig, readGiven, type SettingName } from '#core/process/config.js';
import { readRunningStack } from '#core/process/running-stack.js';
import { startAnnouncedStack } from './announced-stack.js';
import { type Lifetime, startLifetime } from './processes/lifetime.js';
import { isPortFree } from './processes/preferred-port.js';
import { readOrCreateSecrets, secretsFile } from './secrets.js';
import type { Stack } from './stack.js';
import { startPostgres } from './stores/postgres-server.js';
import { startRedis } from './stores/redis-server.js';

// `npm start`: the whole stack without a crowd, on the given stores or on private ones that keep their data.

const DATA_FOLDER = join(checkout, '.data');
const PROBE_DEADLINE_MS = 1_000;

/** The settings that are checked before anything starts, given or not. */
const CHECKED = ['PORT', 'ADMIN_PORT', 'HOST', 'ADMIN_HOST', 'LOG_LEVEL'] as const;

async function refuseSecondStack(): Promise<void> {
  const { PORT, ADMIN_TOKEN } = readRunningStack({});
  if (ADMIN_TOKEN !== (await readOrCreateSecrets(DATA_FOLDER)).ADMIN_TOKEN) return;
  const origin = `http://127.0.0.1:${PORT}`;
  // A pid alone proves nothing: after a reboot any process may have it.
  const answers = await fetch(`${origin}/healthz`, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) }).then(
    response => response.ok,
    () => false,
  );
  if (answers) throw new Error(`a stack runs on ${DATA_FOLDER} already, at ${origin}: stop it first`);
}

async function refuseTakenPort(name: SettingName, port: number): Promise<void> {
  if (!(await isPortFree(port))) throw new Error(`${name} ${port} is in use: set ${name} to another port`);
}

/** Returns the stores that were given, and starts private ones, which keep their data, for those that were not. */
async function findStores(
  given: GivenSettings,
  lifetime: Lifetime,
): Promise<{ redisUrl: string; databaseUrl: string }> {
  let { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl } = given;
  // Postgres first: it locks the data folder.
  if (!databaseUrl) {
    const postgres = await startPostgres({ dir: join(DATA_FOLDER, 'postgres') });
    lifetime.beforeEnd(() => postgres.stop());
    databaseUrl = postgres.url;
  }
  if (!redisUrl) {
    const redis = await startRedis({ dir: join(DATA_FOLDER, 'redis') });
    lifetime.beforeEnd(() => redis.stop());
    redisUrl = redis.url;
  }
  return { redisUrl, databaseUrl };
}

/** Adds defaults. Two private stores mean a try-out: only this machine reaches the page, which may hand out tokens by itself. */
function settingsFor(given: GivenSettings): GivenSettings {
  const trying = !given.REDIS_URL && !given.DATABASE_URL;
  return { LOG_LEVEL: 'warn', ...(trying ? { HOST: '127.0.0.1', GUEST_TOKENS: '1' } : { HOST: '0.0.0.0' }), ...given };
}

function addressesText(stack: Stack, given: GivenSettings): string {
  const token = given.ADMIN_TOKEN ? 'as you set it' : `in ${secretsFile(DATA_FOLDER)}`;
  return [
    'Dropline runs.',
    `Page      ${stack.baseUrls[0]}/  (a sale's own: /s/<id>)`,
    `Console   ${stack.adminUrl}/`,
    `Queues    ${stack.adminUrl}/queues`,
    `Token     ADMIN_TOKEN, ${token}  (the admin's login)`,
    'A sale    npm run cli -- sale create --id drop-1 --units 100 --price 4900',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

async function start(lifetime: Lifetime): Promise<void> {
  const given = readGiven();
  const settings = settingsFor(given);
  const names = new Set([...CHECKED, ...(Object.keys(given) as SettingName[])]);
  readConfig([...names], settings);
  const { PORT, ADMIN_PORT } = readConfig(CHECKED, settings);
  if (!given.REDIS_URL || !given.DATABASE_URL) await refuseSecondStack();
  await refuseTakenPort('PORT', PORT);
  await refuseTakenPort('ADMIN_PORT', ADMIN_PORT);
  const { redisUrl, databaseUrl } = await findStores(given, lifetime);
  const kept = await readOrCreateSecrets(DATA_FOLDER);
  const secrets = {
    AUTH_SECRET: given.AUTH_SECRET ?? kept.AUTH_SECRET,
    ADMIN_TOKEN: given.ADMIN_TOKEN ?? kept.ADMIN_TOKEN,
  };
  const options = {
    redisUrl,
    databaseUrl,
    secrets,
    port: PORT,
    adminPort: ADMIN_PORT,
    settings,
    log: process.stderr,
    tell: (line: string) => process.stderr.write(`${line}\n`),
  };
  const stack = await startAnnouncedStack(options, lifetime);
  process.stdout.write(addressesText(stack, given));
  lifetime.expectSignal();
}

const lifetime = startLifetime();
await start(lifetime).catch(error => lifetime.fail(error));
