import { chmodSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectDatabase, ping } from '#core/postgres/database.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { choosePostgresUser } from '#stack/stores/postgres/user.js';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { build } from '../support/build.js';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.js';
import { cli } from '../support/command.js';

// TLS to Postgres in the words of libpq. Postgres has a certificate for postgres.test, of an authority made for this test. The role
// tls_app logs in with a certificate, and tls_open without any; neither gets in without TLS.

let folder: string;
let postgres: PostgresServer;
let authority: Authority;
let client: Certificate;
const NAME = 'postgres.test';
/** How a command ends if the certificate of Postgres has another name. */
const OTHER_NAME = { exitCode: 1, stderr: expect.stringContaining("does not match certificate's altnames") };

beforeAll(async () => {
  await build();
  folder = await createTemporaryFolder();
  chmodSync(folder, 0o711);
  postgres = await startPostgres({ dir: join(folder, 'postgres') });
  await migrate(postgres.url);
  authority = createAuthority(folder);
  const server = authority.sign(NAME, choosePostgresUser(join(folder, 'absent')));
  client = authority.sign('tls_app');
  const owner = new pg.Client({ connectionString: postgres.url });
  await owner.connect();
  const { rows } = await owner.query<{ hba: string }>(`SELECT current_setting('hba_file') AS hba`);
  for (const role of ['tls_app', 'tls_open']) {
    await owner.query(`CREATE ROLE ${role} LOGIN; GRANT pg_read_all_data TO ${role}`);
  }
  const settings = {
    ssl: 'on',
    ssl_cert_file: server.certFile,
    ssl_key_file: server.keyFile,
    ssl_ca_file: authority.caFile,
  };
  for (const [name, value] of Object.entries(settings)) await owner.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  const rules = ['hostssl all tls_app all cert', 'hostssl all tls_open all trust', 'host all postgres all trust'];
  await writeFile(rows[0]?.hba ?? '', `${rules.join('\n')}\n`);
  await owner.query('SELECT pg_reload_conf()');
  await owner.end();
}, 120_000);
afterAll(async () => {
  await postgres?.stop();
  await removeTemporaryFolder(folder);
});

/** Returns the URL of a role, for the name in the certificate of the server or for another name. */
const urlOf = (role: string, host: string, query: string) =>
  `postgres://${role}@${host}:${postgres.port}/dropline?hostaddr=127.0.0.1&${query}`;

/** Returns whether a connection was made with TLS, or why it was not made. */
async function tryOut(url: string): Promise<string> {
  const db = connectDatabase(url, { connections: 1 });
  try {
    const [row] = await db.$queryRaw<{ ssl: boolean }[]>`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
    return row?.ssl ? 'TLS' : 'no TLS';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await db.$disconnect();
  }
}

describe('sslmode', () => {
  test.each([
    ['disable', NAME, false, /no encryption/],
    ['require', 'another.test', false, /^TLS$/],
    ['require', 'another.test', true, /^TLS$/],
    ['verify-ca', 'another.test', true, /^TLS$/],
    ['verify-full', NAME, true, /^TLS$/],
    ['verify-full', 'another.test', true, /does not match certificate's altnames/],
    ['verify-full', NAME, false, /self-signed certificate|unable to (get|verify)/],
  ])('%s to %s, with our root certificate: %s', async (mode, host, hasRoot, said) => {
    const root = hasRoot ? `&sslrootcert=${authority.caFile}` : '';
    expect(await tryOut(urlOf('tls_open', host, `sslmode=${mode}${root}`))).toMatch(said);
  });
});

// A process of its own, as Node reads the authorities that the machine trusts at the start.
describe('sslrootcert=system', () => {
  test.each([
    ['verify-full', NAME, { exitCode: 0, stdout: 'up to date\n' }],
    ['verify-full', 'another.test', OTHER_NAME],
    ['verify-ca', 'another.test', OTHER_NAME],
    ['require', 'another.test', OTHER_NAME],
  ])('checks the name of the server with sslmode=%s, for %s', async (mode, host, ended) => {
    const env = {
      DATABASE_URL: urlOf('postgres', host, `sslmode=${mode}&sslrootcert=system`),
      NODE_EXTRA_CA_CERTS: authority.caFile,
    };
    expect(await cli(['migrate'], env)).toMatchObject(ended);
  });
});

test('a role logs in with a client certificate, and not without', async () => {
  const query = `sslmode=verify-full&sslrootcert=${authority.caFile}`;
  const own = `&sslcert=${client.certFile}&sslkey=${client.keyFile}`;
  expect(await tryOut(urlOf('tls_app', NAME, query + own))).toBe('TLS');
  expect(await tryOut(urlOf('tls_app', NAME, query))).toMatch(
    /requires a valid client certificate|certificate required/,
  );
});

test.each([
  ['sslrootcert=/nowhere/ca.crt&sslmode=verify-full', /names a file for sslrootcert that cannot be read: ENOENT/],
  ['sslmode=require&sslcert=/dev/null&sslkey=/dev/null', /names sslrootcert, sslcert or sslkey that cannot be used/],
])('?%s is refused at once, in one line', (query, said) => {
  expect(() => connectDatabase(urlOf('tls_app', NAME, query), { connections: 1 })).toThrow(said);
});

describe('a Unix socket', () => {
  let socket: Server;
  beforeAll(async () => {
    // The private Postgres listens on TCP only.
    socket = createServer(near => {
      const far = connect(postgres.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const side of [near, far]) side.on('error', () => undefined);
    });
    await new Promise<void>(resolve => socket.listen(join(folder, '.s.PGSQL.5433'), resolve));
  });
  afterAll(() => {
    socket.close();
  });

  test.each([
    ['as a parameter', () => `postgresql:///dropline?host=${folder}&port=5433&user=postgres`],
    ['as a host', () => `postgresql://postgres@${encodeURIComponent(folder)}:5433/dropline?sslmode=verify-full`],
  ])('%s is used, without TLS', async (_, url) => {
    const db = connectDatabase(url(), { connections: 1 });
    await ping(db);
    await db.$disconnect();
    expect(await migrate(url())).toEqual({ applied: [] });
  });
});
