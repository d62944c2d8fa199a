import { describe, expect, test } from '@jest/globals';
import { hostsOf, parsePostgresAddress } from '#core/values/postgres-address.js';
import { StoreAddressError } from '#core/values/store-address.js';

/** A password that no message may show, not even in part. */
const SECRET = 'hunter2canary';

function refusalOf(url: string): string {
  try {
    parsePostgresAddress(url);
  } catch (error) {
    expect(error).toBeInstanceOf(StoreAddressError);
    return (error as Error).message;
  }
  throw new Error(`${url} was accepted`);
}

const HOST = { host: 'h', hostaddr: undefined, port: 5432 };

describe('an address of Postgres', () => {
  test('every part of a URL is read, and decoded', () => {
    const url = `postgresql://an%40n:p%3A%2F%3F%23%25w@h:5433/my%20db?schema=drop&application_name=shop%201&connect_timeout=7`;
    expect(parsePostgresAddress(url)).toMatchObject({
      hosts: [{ ...HOST, port: 5433 }],
      user: 'an@n',
      password: 'p:/?#%w',
      database: 'my db',
      schema: 'drop',
      applicationName: 'shop 1',
      connectTimeoutMs: 7_000,
      sslmode: 'disable',
    });
  });

  test.each([
    ['postgres://h', [HOST]],
    ['postgres:///drop', [{ ...HOST, host: 'localhost' }]],
    ['postgres://[::1]:5433/drop', [{ ...HOST, host: '::1', port: 5433 }]],
    [
      'postgres://u@a:1,b:2/drop?target_session_attrs=read-write',
      [1, 2].map(port => ({ ...HOST, host: 'ab'[port - 1], port })),
    ],
    [
      'postgres://u@a,b:2/drop',
      [
        { ...HOST, host: 'a' },
        { ...HOST, host: 'b', port: 2 },
      ],
    ],
    ['postgresql:///drop?host=/run/postgresql&port=5433', [{ ...HOST, host: '/run/postgresql', port: 5433 }]],
    ['postgres://%2Frun%2Fpostgresql/drop', [{ ...HOST, host: '/run/postgresql' }]],
    ['postgres://h/drop?hostaddr=10.0.0.1', [{ ...HOST, hostaddr: '10.0.0.1' }]],
  ])('%s names these servers', (url, hosts) => {
    expect(parsePostgresAddress(url).hosts).toEqual(hosts);
  });

  test.each([
    ['sslmode=disable', 'disable'],
    ['sslmode=require', 'require'],
    ['sslmode=no-verify', 'require'],
    ['sslmode=require&sslrootcert=/ca.crt', 'verify-ca'],
    ['sslmode=verify-ca&sslrootcert=/ca.crt', 'verify-ca'],
    ['sslmode=verify-full', 'verify-full'],
  ])('%s means %s, as in libpq', (query, sslmode) => {
    expect(parsePostgresAddress(`postgres://h/d?${query}`).sslmode).toBe(sslmode);
  });

  test.each([
    ['options=-c%20statement_timeout%3D0', /must not have the parameter options/],
    ['pgbouncer=true', /must not have the parameter pgbouncer: a pooler is detected/],
    ['connection_limit=5', /must not have the parameter connection_limit/],
    ['ssl=true', /must not have the parameter ssl: use sslmode/],
    ['sslmode=prefer', /must have sslmode=disable, require, verify-ca or verify-full/],
    ['sslrootcert=/ca.crt', /without it nothing is encrypted/],
    ['sslcert=/c.crt&sslkey=/c.key', /without it nothing is encrypted/],
    ['sslrootcert=system&sslmode=disable', /without it nothing is encrypted/],
    ['sslmode=verify-ca', /must have sslrootcert with sslmode=verify-ca/],
    ['hostaddr=pg1', /must have IP addresses in hostaddr/],
    ['sslcert=/c.crt', /both sslcert and sslkey/],
    ['sslmode=require&sslmode=disable', /must have sslmode only once/],
    ['target_session_attrs=standby', /target_session_attrs=read-write or primary/],
    ['schema=', /must have a value for schema/],
    ['schema=a%22b', /must have a schema of at most 63 letters/],
    ['connect_timeout=soon', /connect_timeout=1 to 999/],
    ['sslmode=verify-full&colour=red', /unknown parameter, number 2 after the \?: known are application_name, /],
  ])('?%s is refused in one line that says which, and how', (query, said) => {
    expect(refusalOf(`postgres://u:${SECRET}@h/d?${query}`)).toMatch(said);
    expect(refusalOf(`postgres://u:${SECRET}@h/d?${query}`)).not.toMatch(/\n|hunter2/);
  });

  test.each(['@', ':x@', '/', '?', '#', '%', '?a=b', '&', ',', ' ', '/x?y=z@', '@?', '\n'])(
    'a password with %j that is not URL-encoded shows no part of itself',
    character => {
      for (const url of [
        `postgres://u:${SECRET}${character}${SECRET}@h:5432/d`,
        `postgres://u:12${character}${SECRET}@h/d`,
        `postgres://${character}${SECRET}@h/d?${SECRET}=1`,
      ]) {
        const said = (() => {
          try {
            return hostsOf(url);
          } catch (error) {
            return (error as Error).message;
          }
        })();
        expect(said).not.toContain('hunter2');
      }
    },
  );

  test.each([
    '',
    'h:5432/d',
    'mysql://h/d',
    'postgres:h',
    'postgres://h:x/d',
    'postgres://h:70000/d',
    'postgres://a b/d',
  ])('%j is refused', url => {
    expect(refusalOf(url)).toMatch(/^must be a URL like postgres:/);
  });

  test('messages name the servers of an address, and nothing else', () => {
    expect(hostsOf(`postgres://u:${SECRET}@a:1,b/d?schema=s`)).toBe('a:1, b:5432');
    expect(hostsOf(`postgresql:///d?host=/run/postgresql&password=${SECRET}`)).toBe('/run/postgresql');
  });
});
