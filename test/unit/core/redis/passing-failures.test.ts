import { describe, expect, test } from '@jest/globals';
import { isRedisPassing } from '#core/redis/connection.js';
import { DeadlineExceeded, NotVerified } from '#core/rules/errors.js';

/** An error of a socket, as Node makes it. */
const socketError = (code: string, syscall?: string) =>
  Object.assign(new Error(`${syscall ?? 'aborted'} ${code}`), { code, ...(syscall && { syscall }) });

describe('a failure of Redis passes', () => {
  test.each([
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Command timed out',
    'Socket timeout. Expecting data, but didn’t receive any in 5000ms.',
    'Reached the max retries per request limit (which is 0).',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'Socket closed unexpectedly',
  ])('if the connection was lost: %s', message => {
    expect(isRedisPassing(new Error(message))).toBe(true);
  });

  test.each([
    'LOADING Redis is loading the dataset in memory',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots',
    "READONLY You can't write against a read only replica.",
    'BUSY Redis is busy running a script.',
    'MASTERDOWN Link with MASTER is down',
    'CLUSTERDOWN The cluster is down',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'NOREPLICAS Not enough good replicas to write.',
    'EXECABORT Transaction discarded because of previous errors.',
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair',
    'UNBLOCKED force unblock from blocking operation',
  ])('if it does not serve: %s', message => {
    expect(isRedisPassing(new Error(message))).toBe(true);
  });

  test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])(
    'if an operation on its socket failed with %s',
    code => expect(isRedisPassing(socketError(code, 'read'))).toBe(true),
  );

  test('if it took too long, or the sale was not verified', () => {
    expect([new DeadlineExceeded('claiming'), new NotVerified('sale x')].map(isRedisPassing)).toEqual([true, true]);
  });
});

describe('a failure does not pass', () => {
  test.each([
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'NOSCRIPT No matching script.',
    'BUSYGROUP Consumer Group name already exists',
    'NOPERM this user has no permissions',
    'user_script:3: attempt to index a nil value',
    'the Connection is closed',
  ])('that is a defect: %s', message => {
    expect(isRedisPassing(new Error(message))).toBe(false);
  });

  test('of a client that broke off its request, or of a file', () => {
    expect([socketError('ECONNRESET'), socketError('ENOENT', 'open')].map(isRedisPassing)).toEqual([false, false]);
  });

  test('that is no Error', () => {
    expect([undefined, null, 'Connection is closed.'].map(isRedisPassing)).toEqual([false, false, false]);
  });
});
