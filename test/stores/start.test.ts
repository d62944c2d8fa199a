import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '#stack/processes/free-port.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { build } from '../support/build.js';
import { run } from '../support/command.js';

// A REDIS_URL that leads nowhere useful ends every process with one line, which says what is wrong and shows no password.

const SECRET = 'hunter2-canary';

let folders: string[];
let alone: RedisServer;
let cluster: RedisServer;

beforeAll(async () => {
  await build();
  folders = [await createTemporaryFolder(), await createTemporaryFolder()];
  alone = await startRedis({ dir: String(folders[0]) });
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
  cluster = await startRedis({ dir: String(folders[1]), settings });
}, 60_000);
afterAll(async () => {
  await alone?.stop();
  await cluster?.stop();
  for (const folder of folders) await removeTemporaryFolder(folder);
});

/** Nobody listens there. These processes end before they ask Postgres, or do not wait for it. */
const NO_DATABASE = 'postgres://127.0.0.1:1/none';
const SETTINGS = { DATABASE_URL: NO_DATABASE, AUTH_SECRET: 'a'.repeat(32), ADMIN_TOKEN: 'abcdefgh'.repeat(2) };
const PORTS = { PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'silent' };

const FORMS: [form: string, url: () => string, said: RegExp][] = [
  [
    'a database that is not there',
    () => `${alone.url}/99`,
    /REDIS_URL names database 99, which the Redis at 127\.0\.0\.1:\d+ does not have/,
  ],
  [
    'a name as database',
    () => `redis://:${SECRET}@127.0.0.1:${alone.port}/prod`,
    /REDIS_URL must have nothing but the number of a database/,
  ],
  [
    'the file of a socket after redis:',
    () => 'redis:///run/redis.sock',
    /REDIS_URL must name a host.*unix socket has the form unix:/,
  ],
  ['no file after unix:', () => `unix://user:${SECRET}@localhost`, /REDIS_URL must name the file of a socket/],
  [
    'Sentinels without a name',
    () => `redis+sentinel://:${SECRET}@a:1,b:2`,
    /REDIS_URL must name Sentinels, the primary and a database/,
  ],
  [
    'a password that is not URL-encoded',
    () => `redis://:%${SECRET}@127.0.0.1`,
    /REDIS_URL must have user and password URL-encoded/,
  ],
  ['a Cluster after redis:', () => cluster.url, /REDIS_URL leads to a Redis Cluster: begin it with redis\+cluster:/],
  [
    'no Cluster after redis+cluster:',
    () => `redis+cluster://:${SECRET}@127.0.0.1:${alone.port}`,
    /REDIS_URL names a Redis Cluster, and 127\.0\.0\.1:\d+ is none: begin it with redis:/,
  ],
];

/** Every process asks Redis by itself. The form of the address is checked in one way for all. */
const ASKED = /names database|Cluster/;

test.each(FORMS)('%s ends a process with one line', async (_, url, said) => {
  const env = { ...SETTINGS, ...PORTS, REDIS_URL: url() };
  const refuse = async (app: string) => {
    const { exitCode, stderr } = await run(`apps/${app}/main`, [], env);
    expect({ app, exitCode, lines: stderr.trim().split('\n').length }).toEqual({ app, exitCode: 1, lines: 1 });
    expect(stderr).toMatch(new RegExp(`^${app}: ${said.source}`));
    expect(stderr).not.toContain(SECRET);
  };
  await Promise.all((ASKED.test(said.source) ? ['api', 'worker', 'admin'] : ['api']).map(refuse));
});

test.each([
  [{ REDIS_CACERT: 'ca.crt' }, /REDIS_CACERT must be PEM/],
  [{ REDIS_CACERT: '-----BEGIN CERTIFICATE-----' }, /REDIS_CACERT, .* need a REDIS_URL that begins with rediss/],
  [{ REDIS_URL: 'rediss://h', REDIS_CERT: '-----BEGIN CERTIFICATE-----' }, /set REDIS_KEY, too/],
  [{ REDIS_SENTINEL_PASSWORD: SECRET }, /REDIS_SENTINEL_PASSWORD needs a REDIS_URL that begins with redis\+sentinel/],
])('%j is refused with one line', async (settings, said) => {
  const env = { ...SETTINGS, ...PORTS, REDIS_URL: alone.url, ...settings };
  const { exitCode, stderr } = await run('apps/api/main', [], env);
  expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 1, lines: 1 });
  expect(stderr).toMatch(said);
  expect(stderr).not.toContain(SECRET);
});
