import { describe, expect, test } from '@jest/globals';
import { parseRedisAddress, type RedisAddress, redisAddress } from '#core/values/redis-address.js';
import { StoreAddressError } from '#core/values/store-address.js';

const HOST_FORM = 'redis://127.0.0.1:6379/0';
const SOCKET_FORM = 'unix:///run/redis/redis.sock?db=0';
const SENTINEL_FORM = 'redis+sentinel://user:password@host1:26379,host2:26379,host3:26379/name/0';
const CLUSTER_FORM = 'redis+cluster://user:password@host1:6379,host2:6379,host3:6379';

function refusalOf(text: string): string {
  try {
    parseRedisAddress(text);
  } catch (error) {
    expect(error).toBeInstanceOf(StoreAddressError);
    return (error as Error).message;
  }
  throw new Error(`${text} was accepted`);
}

const onHost = (host: string, port = 6_379): RedisAddress['at'] => ({ kind: 'host', host, port });
const onSocket = (path: string): RedisAddress['at'] => ({ kind: 'socket', path });
const byOne = (host: string, port = 26_379, name = 'main'): RedisAddress['at'] => ({
  kind: 'sentinels',
  name,
  sentinels: [{ host, port }],
});

const onNodes = (...nodes: [host: string, port: number][]): RedisAddress['at'] => ({
  kind: 'cluster',
  nodes: nodes.map(([host, port]) => ({ host, port })),
});

const plain = { tls: false, db: 0 };

describe('an address of Redis', () => {
  test.each<[text: string, address: RedisAddress]>([
    ['redis://h', { at: onHost('h'), ...plain }],
    ['redis://h/', { at: onHost('h'), ...plain }],
    ['REDIS://h:6380/15', { at: onHost('h', 6_380), tls: false, db: 15 }],
    ['rediss://redis.example/1234', { at: onHost('redis.example'), tls: true, db: 1_234 }],
    ['redis://[::1]:6380', { at: onHost('::1', 6_380), ...plain }],
    ['redis://:p%40%3A@h', { at: onHost('h'), ...plain, password: 'p@:' }],
    ['redis://an%40n@h', { at: onHost('h'), ...plain, username: 'an@n' }],
  ])('%s leads to a host', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  test.each<[text: string, address: RedisAddress]>([
    ['redis+cluster://h', { at: onNodes(['h', 6_379]), ...plain }],
    ['REDIS+CLUSTER://h1:7000,h2,[::1]:7002/', { at: onNodes(['h1', 7_000], ['h2', 6_379], ['::1', 7_002]), ...plain }],
    [
      'rediss+cluster://an%40n:p%2C@h:7000',
      { at: onNodes(['h', 7_000]), tls: true, db: 0, username: 'an@n', password: 'p,' },
    ],
  ])('%s leads to a cluster', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  test.each([
    'redis+cluster://',
    'redis+cluster://h1,',
    'redis+cluster://h1:70000',
    'redis+cluster://h/1',
    'redis+cluster://h?a=b',
  ])('%s names no cluster: it has only database 0, and nothing follows the nodes', text => {
    expect(refusalOf(text)).toBe(`must name nodes of a Redis Cluster and nothing else, like ${CLUSTER_FORM}`);
  });

  test.each<[text: string, address: RedisAddress]>([
    ['unix:///run/redis.sock', { at: onSocket('/run/redis.sock'), ...plain }],
    ['unix://localhost/run/redis.sock', { at: onSocket('/run/redis.sock'), ...plain }],
    ['unix:///run/my%20redis.sock?db=12', { at: onSocket('/run/my redis.sock'), tls: false, db: 12 }],
    [
      'unix://ann:pass@localhost/run/redis.sock?db=3',
      { at: onSocket('/run/redis.sock'), tls: false, db: 3, username: 'ann', password: 'pass' },
    ],
  ])('%s leads to a socket', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  test.each<[text: string, address: RedisAddress]>([
    ['redis+sentinel://one/main', { at: byOne('one'), ...plain }],
    ['redis+sentinel://one/main/', { at: byOne('one'), ...plain }],
    ['REDIS+Sentinel://one:65535/main/12', { at: byOne('one', 65_535), tls: false, db: 12 }],
    ['rediss+sentinel://[fe80::1.2]:7/main', { at: byOne('fe80::1.2', 7), tls: true, db: 0 }],
    ['redis+sentinel://one/my%20main', { at: byOne('one', 26_379, 'my main'), ...plain }],
    ['redis+sentinel://one/50%/0', { at: byOne('one', 26_379, '50%'), ...plain }],
    ['redis+sentinel://:p%40w@one/main', { at: byOne('one'), ...plain, password: 'p@w' }],
    ['redis+sentinel://ann@one/main', { at: byOne('one'), ...plain, username: 'ann' }],
    ['redis+sentinel://ann:@one/main', { at: byOne('one'), ...plain, username: 'ann' }],
    [
      'redis+sentinel://ann:pass:word@one,two:7,[::1]/main/1',
      {
        at: {
          kind: 'sentinels',
          name: 'main',
          sentinels: [
            { host: 'one', port: 26_379 },
            { host: 'two', port: 7 },
            { host: '::1', port: 26_379 },
          ],
        },
        ...{ tls: false, db: 1, username: 'ann', password: 'pass:word' },
      },
    ],
  ])('%s leads to Sentinels', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });
});

describe('a wrong address of Redis', () => {
  test.each(['', 'h', 'http://h', '1redis://h', 'redis', 'h:redis://h', 'xredis://h'])(
    '%j is refused with all forms',
    text => {
      expect(refusalOf(text)).toBe(
        `must be a URL like ${HOST_FORM}, ${SOCKET_FORM}, ${SENTINEL_FORM} or ${CLUSTER_FORM}`,
      );
    },
  );

  test.each(['redis://h/ 0', 'redis://h\n', `redis://${'h'.repeat(9_000)}`])('%j is no text of a URL', text => {
    expect(refusalOf(text)).toBe(`must be a URL like ${HOST_FORM}`);
  });

  test.each(['redis://h:port', 'redis://h:70000', 'redis://a:b#@h:x'])('%s is no URL', text => {
    expect(refusalOf(text)).toMatch(/^must be a URL like redis:\/\/127.0.0.1:6379\/0, with .* URL-encoded$/);
  });

  test.each(['redis:///var/run/redis.sock', 'redis:h'])('%s names no host, and reads the form of a socket', text => {
    expect(refusalOf(text)).toBe(`must name a host, like ${HOST_FORM}; a unix socket has the form ${SOCKET_FORM}`);
  });

  test.each(['/name', '/1x', '/x/1', '/12345', '/0?a=b', '/0#a'])(
    'redis://h%s has more than the number of a database after the host',
    end => {
      expect(refusalOf(`redis://h${end}`)).toBe(
        `must have nothing but the number of a database after the host, like ${HOST_FORM}`,
      );
    },
  );

  test.each([
    'unix://other/run/redis.sock',
    'unix://localhost:port/run/redis.sock',
    'unix://',
    'unix:///',
    'unix:///run/%zz',
    'unix:///run/redis.sock#a',
    'unix:///run/redis.sock?db=',
    'unix:///run/redis.sock?db=12345',
    'unix:///run/redis.sock?db=1&a=b',
    'unix:///run/redis.sock?a?db=1',
    'unix:///run/redis.sock?db=x',
  ])('%s names no socket', text => {
    expect(refusalOf(text)).toBe(
      `must name the file of a socket, like ${SOCKET_FORM}, and nothing else but a database`,
    );
  });

  test.each([
    'redis+sentinel:redis+sentinel://one/main',
    'redis+sentinel://one',
    'redis+sentinel://one/',
    'redis+sentinel:///main',
    'redis+sentinel://one/main/x',
    'redis+sentinel://one/main/1x',
    'redis+sentinel://one/main/12345',
    'redis+sentinel://one/main/0/0',
    'redis+sentinel://one/main?db=0',
    'redis+sentinel://a@b@one/main',
    'redis+sentinel://one,/main',
    'redis+sentinel://one:port/main',
    'redis+sentinel://one:7x/main',
    'redis+sentinel://one:65536/main',
    'redis+sentinel://one:123456/main',
    'redis+sentinel://x[::1]/main',
    'redis+sentinel://[::1]x/main',
    'redis+sentinel://[]/main',
    'redis+sentinel://[one]/main',
    'redis+sentinel://::1/main',
    'redis+sentinel://one,two:65536/main',
  ])('%s names no Sentinels', text => {
    expect(refusalOf(text)).toBe(`must name Sentinels, the primary and a database, like ${SENTINEL_FORM}`);
  });

  test.each([
    'redis://%zz@h',
    'redis://:%zz@h',
    'unix://%zz@localhost/run/redis.sock',
    'redis+sentinel://a:%@one/main',
  ])('%s has a user or a password that is not URL-encoded', text => {
    expect(refusalOf(text)).toBe('must have user and password URL-encoded');
  });

  test('the validator of the setting refuses it with the same words', () => {
    expect(redisAddress.safeParse('redis://h/1').success).toBe(true);
    const [issue] = redisAddress.safeParse('redis://h/name').error?.issues ?? [];
    expect(issue?.message).toBe(refusalOf('redis://h/name'));
  });
});
