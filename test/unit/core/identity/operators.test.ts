import { describe, expect, test } from '@jest/globals';
import { type Operator, readOperators } from '#core/identity/operators.js';
import { Sessions } from '#core/identity/session.js';
import { issueToken } from '#core/identity/token.js';
import { createToken, digestOf, entryOf } from '#core/identity/token-holders.js';
import { ConfigError } from '#core/process/config.js';

const SECRET = 'a secret of more than thirty-two characters';
const TOKEN = 'the token of an operator';
const ANN = entryOf({ name: 'ann', roles: ['read', 'money'], digest: digestOf(TOKEN) });
const BOB = entryOf({ name: 'bob', roles: ['operate'], digest: digestOf('another token of an operator') });

function errorOf(settings: Parameters<typeof readOperators>[0]): string {
  try {
    readOperators(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the operators were accepted');
}

describe('operators', () => {
  test('entries stand on lines or behind semicolons, beside comments and ADMIN_TOKEN', () => {
    const operators = readOperators({ ADMIN_TOKEN: 'abcdefgh12345678', OPERATORS: `# people\n${ANN}; ${BOB}\n\n` });
    expect(operators.withToken(TOKEN)).toMatchObject({ name: 'ann', roles: ['read', 'money'] });
    expect(operators.named('bob')).toMatchObject({ roles: ['operate'] });
    expect(operators.withToken('abcdefgh12345678')).toMatchObject({
      name: 'admin',
      roles: ['read', 'operate', 'money'],
    });
    expect(operators.withToken(`${TOKEN} `)).toBeUndefined();
  });

  test('a weak token is refused even if its hash is listed', () => {
    const weak = ['aaaaaaaaaaaaaaaa', 'abcdefgh1234567', 'abcdefg'.repeat(5)];
    for (const token of weak) {
      const OPERATORS = entryOf({ name: 'ann', roles: ['read'], digest: digestOf(token) });
      expect(readOperators({ OPERATORS }).withToken(token)).toBeUndefined();
    }
  });

  test('created tokens are not weak, and no two are equal', () => {
    const tokens = Array.from({ length: 1_000 }, createToken);
    expect(new Set(tokens).size).toBe(tokens.length);
    const OPERATORS = tokens.map((token, n) => entryOf({ name: `n${n}`, roles: ['read'], digest: digestOf(token) }));
    const operators = readOperators({ OPERATORS: OPERATORS.join('\n') });
    expect(tokens.filter(token => !operators.withToken(token))).toEqual([]);
  });

  test.each([
    `ann read ${TOKEN}`,
    `ann read sha256:${digestOf(TOKEN).slice(1)}`,
    `ann read sha512:${digestOf(TOKEN)}`,
    `ann sha256:${digestOf(TOKEN)}`,
    `ann root sha256:${digestOf(TOKEN)}`,
    `ann read,read sha256:${digestOf(TOKEN)}`,
    `a.n read sha256:${digestOf(TOKEN)}`,
  ])('a wrong entry stops the start with one line that does not show it: %s', wrong => {
    const message = errorOf({ OPERATORS: `# people\n\n${BOB}\n${wrong}` });
    expect(message).toMatch(/^OPERATORS: line 4 must be .*$/);
    expect(message).not.toContain(TOKEN);
    expect(errorOf({ OPERATORS: `# people\n${BOB}; ${wrong}` })).toMatch(/^OPERATORS: line 2, entry 2 must be .*$/);
  });

  test('two operators have different names and different tokens', () => {
    expect(errorOf({ OPERATORS: `${BOB}\n${BOB}` })).toContain('bob is named twice');
    expect(errorOf({ OPERATORS: `${ANN}\n${ANN.replace('ann', 'eve')}` })).toContain('ann and eve have the same token');
    expect(errorOf({ ADMIN_TOKEN: TOKEN, OPERATORS: ANN })).toContain('admin and ann have the same token');
  });

  test('a console without operators does not start', () => {
    expect(errorOf({})).toContain('set ADMIN_TOKEN or OPERATORS');
    expect(errorOf({ OPERATORS: '# nobody' })).toContain('set ADMIN_TOKEN or OPERATORS');
  });
});

describe('a session', () => {
  const operators = readOperators({ OPERATORS: `${ANN}; ${BOB}` });
  const sessions = new Sessions(SECRET, operators);
  const ann = operators.named('ann') as Operator;
  const session = sessions.issue(ann);

  test('a session names its operator, and has an id of its own', () => {
    expect(sessions.read(session)).toMatchObject({ operator: ann });
    expect(sessions.read(sessions.issue(ann))?.id).not.toBe(sessions.read(session)?.id);
  });

  test('a session ends when its operator is removed or gets another token', () => {
    const without = readOperators({ OPERATORS: BOB });
    const renewed = readOperators({ OPERATORS: ANN.replace(digestOf(TOKEN), digestOf('a new token of the operator')) });
    expect(new Sessions(SECRET, without).read(session)).toBeUndefined();
    expect(new Sessions(SECRET, renewed).read(session)).toBeUndefined();
  });

  test('a session by another secret, a buyer’s token and noise are no sessions', () => {
    expect(new Sessions(`${SECRET}!`, operators).read(session)).toBeUndefined();
    for (const text of [issueToken(SECRET, 'ann'), '', 'a.b.c', `${session}x`]) {
      expect(sessions.read(text)).toBeUndefined();
    }
  });
});
