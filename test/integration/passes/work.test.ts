import { describe, expect, test } from '@jest/globals';
import { type Challenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { type Answer, bearer, useApi } from '../../support/http/api.js';

// A pass that costs a proof of work, at the API as it runs.

const WORK = 20;

const api = useApi();

const opened = () => api.open({ needsPass: true, passWork: WORK });

function send(saleId: string, buyerId: string, body?: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return api.send(`/pass/${saleId}`, {
    method: 'POST',
    headers: bearer(buyerId),
    ...(body === undefined ? {} : { body: text }),
  });
}

async function solutionFor(saleId: string, buyerId: string): Promise<string> {
  const challenge = (await send(saleId, buyerId)).body.challenge as Challenge;
  const found = await solveChallenge({ challenge, deriveKey });
  const solution = { counter: found?.counter, derivedKey: found?.derivedKey };
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
}

const REFUSED = { status: 403, body: { code: 'bad_solution' } };

describe('POST /pass/:saleId of a sale that asks for work', () => {
  test('gives a challenge, and a pass for its solution, with which the buyer may click', async () => {
    const sale = await opened();
    const asked = await send(sale.id, 'ann');
    expect([asked.status, Object.keys(asked.body), asked.headers.get('cache-control')]).toEqual([
      200,
      ['challenge'],
      'no-store',
    ]);
    const { status, body } = await send(sale.id, 'ann', { solution: await solutionFor(sale.id, 'ann') });
    expect(status).toBe(200);
    const headers = { ...bearer('ann'), 'dropline-pass': String(body.pass) };
    expect((await api.send(`/buy/${sale.id}`, { method: 'POST', headers })).status).toBe(202);
  });

  test('gives one buyer a pass for the same solution again, and nobody else', async () => {
    const sale = await opened();
    const other = await opened();
    const solution = await solutionFor(sale.id, 'ann');
    for (let i = 0; i < 2; i += 1) expect((await send(sale.id, 'ann', { solution })).status).toBe(200);
    expect(await send(sale.id, 'bob', { solution })).toMatchObject(REFUSED);
    expect(await send(other.id, 'ann', { solution })).toMatchObject(REFUSED);
  });

  test.each([
    ['no solution', 'AAAA'],
    ['an empty text', ''],
    ['a number', 7],
    ['a list', []],
    ['null', null],
  ])('refuses %s', async (_, solution) => {
    const sale = await opened();
    expect(await send(sale.id, 'ann', { solution })).toMatchObject(REFUSED);
  });

  test.each([
    ['no JSON', 'x'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['another object', '{"a":1}'],
  ])('takes a body that is %s for none', async (_, body) => {
    const sale = await opened();
    expect((await send(sale.id, 'ann', body)).body).toHaveProperty('challenge');
  });

  test('gives no challenge before the time of passes', async () => {
    const sale = await api.open({ needsPass: true, passWork: WORK, opensAtMs: Date.now() + 3_600_000 });
    expect(await send(sale.id, 'ann')).toMatchObject({ status: 403, body: { code: 'pass_too_early' } });
  });
});
