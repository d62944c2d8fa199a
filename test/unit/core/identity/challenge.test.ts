import { describe, expect, jest, test } from '@jest/globals';
import { type Challenge, createChallenge, type Solution, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { challengeKey, isSolved, issueChallenge } from '#core/identity/challenge.js';

const KEY = challengeKey('a secret of more than thirty-two characters');
const OTHER = challengeKey('the next secret of thirty-two characters!');
const ANN = { saleId: 'sale', buyerId: 'ann' };
const TRIES = 8;

async function solve(challenge: Challenge): Promise<Solution> {
  const solution = await solveChallenge({ challenge, deriveKey });
  if (!solution) throw new Error('the challenge has no solution');
  return solution;
}

const payloadOf = (challenge: unknown, solution: unknown) =>
  Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');

const challenge = await issueChallenge(KEY, ANN, TRIES);
const solution = await solve(challenge);
const PAYLOAD = payloadOf(challenge, solution);

const verify = (text: string, more: object = {}, keys = [KEY]) =>
  isSolved(keys, text, { ...ANN, leastTries: TRIES, ...more });

/** A payload in which parts of the challenge or the solution are others. */
const altered = (parameters: object, changes: object = {}) =>
  payloadOf({ ...challenge, parameters: { ...challenge.parameters, ...parameters } }, { ...solution, ...changes });

test('a solution is right for its buyer and sale, also a second time', async () => {
  expect(await verify(PAYLOAD)).toBe(true);
  expect(await verify(PAYLOAD)).toBe(true);
});

test('a payload fits into the body of a buyer’s call, also with the largest numbers', async () => {
  const hard = await issueChallenge(KEY, { saleId: 's'.repeat(64), buyerId: 'b'.repeat(64) }, 80_000);
  const payload = payloadOf(hard, { ...solution, counter: 79_999, time: 123_456.7 });
  expect(JSON.stringify({ solution: payload }).length).toBeLessThan(900);
});

test('a challenge takes no more tries than it says, whatever the luck', async () => {
  for (let i = 0; i < 20; i += 1) {
    const { counter } = await solve(await issueChallenge(KEY, ANN, TRIES));
    expect(counter).toBeLessThan(TRIES);
  }
});

test('while the secret is rotated, a challenge by either secret is accepted', async () => {
  expect(await verify(PAYLOAD, {}, [OTHER, KEY])).toBe(true);
  expect(await verify(PAYLOAD, {}, [OTHER])).toBe(false);
});

describe('refused solutions', () => {
  test.each([
    ['of another buyer', { buyerId: 'bob' }],
    ['for another sale', { saleId: 'other' }],
    ['with another border between sale and buyer', { saleId: 'sal', buyerId: 'e.ann' }],
    ['of a challenge that asked for too little work', { leastTries: TRIES + 1 }],
  ])('%s', async (_, more) => expect(await verify(PAYLOAD, more)).toBe(false));

  test.each([
    ['with more tries in the challenge than were signed', altered({ data: { tries: 1_000 } })],
    ['with fewer rounds', altered({ cost: 1 })],
    ['with more rounds than were signed', altered({ cost: 1_001 })],
    ['with another algorithm', altered({ algorithm: 'SHA-256' })],
    ['with a later end', altered({ expiresAt: (challenge.parameters.expiresAt ?? 0) + 1 })],
    ['without an end', altered({ expiresAt: undefined })],
    ['without the signature of the key', altered({ keySignature: undefined })],
    ['with another nonce', altered({ nonce: '00'.repeat(16) })],
    ['with an added parameter', altered({ more: 1 })],
    ['with another key', altered({}, { derivedKey: '00'.repeat(32) })],
    ['with no more of the key than the challenge says', altered({}, { derivedKey: challenge.parameters.keyPrefix })],
    ['with an empty key', altered({}, { derivedKey: '' })],
    ['with a counter that is no number', altered({}, { counter: '1' })],
    ['without a signature', payloadOf({ parameters: challenge.parameters }, solution)],
    ['without a solution', payloadOf(challenge, null)],
    ['that is no object', Buffer.from('[]').toString('base64')],
    ['that is null', Buffer.from('null').toString('base64')],
    ['that is no JSON', 'x'],
    ['that is empty', ''],
  ])('%s', async (_, text) => expect(await verify(text)).toBe(false));

  test('after five minutes', async () => {
    const issuedAtMs = Date.now();
    const clock = jest.spyOn(Date, 'now');
    clock.mockReturnValue(issuedAtMs + 298_000);
    expect(await verify(PAYLOAD)).toBe(true);
    clock.mockReturnValue(issuedAtMs + 301_000);
    expect(await verify(PAYLOAD)).toBe(false);
    clock.mockRestore();
  });

  test('of a challenge that we did not sign', async () => {
    const foreign = await createChallenge({
      algorithm: 'PBKDF2/SHA-256',
      cost: 1_000,
      counter: 0,
      data: { tries: TRIES },
      deriveKey,
      expiresAt: new Date(Date.now() + 60_000),
      hmacSignatureSecret: 'mine',
      hmacKeySignatureSecret: 'mine',
    });
    expect(await verify(payloadOf(foreign, await solve(foreign)))).toBe(false);
  });
});
