import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { CHALLENGE_LIFE_MS, PassWork } from '#core/identity/pass-work.js';

const SECRET = 'a secret of more than thirty-two characters';
const OTHER_SECRET = 'another secret of thirty-two characters!';
const ANN = { saleId: 'sale', buyerId: 'ann' };
const WORK = 5;

const passWork = new PassWork([SECRET]);

const textOf = (challenge: unknown, solution: unknown) =>
  Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');

async function solved(challenge: Challenge) {
  const solution = await solveChallenge({ challenge, deriveKey });
  if (!solution) throw new Error('no solution');
  const { counter, derivedKey } = solution;
  return { counter, derivedKey };
}

afterEach(() => void jest.useRealTimers());

test('a solution of a challenge is accepted, and fits into the body of a call', async () => {
  const challenge = await passWork.challenge(ANN, WORK);
  const text = textOf(challenge, await solved(challenge));
  expect(await passWork.isSolved(ANN, text)).toBe(true);
  expect(JSON.stringify({ solution: text }).length).toBeLessThan(1_024);
});

test('a challenge needs as many derivations as asked for in the mean, and never more than twice as many', async () => {
  const counters: number[] = [];
  for (let i = 0; i < 200; i += 1) counters.push((await solved(await passWork.challenge(ANN, WORK))).counter);
  expect(Math.max(...counters)).toBe(2 * WORK - 1);
  expect(Math.min(...counters)).toBe(0);
});

test('while the secret is rotated, a challenge by either secret is accepted', async () => {
  const challenge = await passWork.challenge(ANN, WORK);
  const text = textOf(challenge, await solved(challenge));
  expect(await new PassWork([OTHER_SECRET, SECRET]).isSolved(ANN, text)).toBe(true);
  expect(await new PassWork([OTHER_SECRET]).isSolved(ANN, text)).toBe(false);
});

describe('a solution is refused', () => {
  test('when another buyer sends it, or for another sale', async () => {
    const challenge = await passWork.challenge(ANN, WORK);
    const text = textOf(challenge, await solved(challenge));
    expect(await passWork.isSolved({ ...ANN, buyerId: 'bob' }, text)).toBe(false);
    expect(await passWork.isSolved({ ...ANN, saleId: 'other' }, text)).toBe(false);
  });

  test('when the challenge has expired', async () => {
    const challenge = await passWork.challenge(ANN, WORK);
    const text = textOf(challenge, await solved(challenge));
    jest.useFakeTimers({
      now: Date.now() + CHALLENGE_LIFE_MS + 1_000,
      doNotFake: ['performance', 'setImmediate', 'nextTick'],
    });
    expect(await passWork.isSolved(ANN, text)).toBe(false);
  });

  test('when the challenge was made cheaper, or later', async () => {
    const { parameters, signature = '' } = await passWork.challenge(ANN, 1_000);
    const later = (parameters.expiresAt ?? 0) + 3_600;
    for (const change of [
      { keyPrefix: '00' },
      { cost: 1 },
      { expiresAt: later },
      { expiresAt: 0 },
      { keySignature: '' },
    ]) {
      const easy = { parameters: { ...parameters, keyPrefix: '0', ...change }, signature };
      expect(await passWork.isSolved(ANN, textOf(easy, await solved(easy)))).toBe(false);
    }
  });

  test('when it was not worked for', async () => {
    const challenge = await passWork.challenge(ANN, 1_000);
    const { keyPrefix, keySignature = '' } = challenge.parameters;
    const guesses = ['', keyPrefix, keySignature, 'x', '00'.repeat(32), 1, null, {}];
    for (const derivedKey of guesses)
      for (const counter of [0, -1, 1e99, '0', null]) {
        expect(await passWork.isSolved(ANN, textOf(challenge, { counter, derivedKey }))).toBe(false);
      }
  });

  test('when it has another form', async () => {
    const challenge = await passWork.challenge(ANN, WORK);
    const { parameters } = challenge;
    const texts = [
      ...['', '=', 'e30=', 'bnVsbA==', 'W10=', '%%%', 'a'.repeat(5_000)],
      ...[null, 1, [], {}, { parameters }, { parameters: null, signature: '' }].map(one => textOf(one, {})),
      textOf({ parameters, signature: ['a'.repeat(64)] }, {}),
      textOf({ parameters, signature: Array(64).fill('a') }, {}),
      textOf(challenge, null),
    ];
    for (const text of texts) expect(await passWork.isSolved(ANN, text)).toBe(false);
  });
});
