import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from '../support/command.js';
import { expectEachUnitOnce, expectProof, impatient, rush, survivors } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// A sale that needs a pass, and work for it, on two APIs. A pass of one API is good at the other one.

const PRICE_MINOR = 4_900;
const UNITS = 20;
const WORK = 20;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ apis: 2 });
});
afterAll(() => stack?.stop());

const createSale = (wishes: Partial<Parameters<TestStack['createSale']>[0]> = {}) =>
  stack.createSale({
    units: UNITS,
    standbyFactor: 0,
    priceMinor: PRICE_MINOR,
    needsPass: true,
    passWork: WORK,
    ...wishes,
  });

test('buyers who get passes buy each unit once', async () => {
  const plans = impatient(300, 1);
  await stack.credit(
    plans.map(({ buyerId }) => buyerId),
    PRICE_MINOR,
  );
  const saleId = await createSale();
  const buyers = await survivors(stack, saleId, rush(stack, saleId, plans));
  await expectEachUnitOnce(stack, saleId, UNITS);
  const { reckoning } = await expectProof(stack, saleId, buyers);
  expect(reckoning).toMatchObject({ placed: UNITS, paid: UNITS, soldOut: plans.length - UNITS });
});

test('a rehearsal gets passes as well', async () => {
  const saleId = await createSale({ units: 4 });
  const settings = {
    AUTH_SECRET: stack.authSecret,
    REDIS_URL: stack.stores.redisUrl,
    DATABASE_URL: stack.stores.databaseUrl,
  };
  const args = [
    '--sale',
    saleId,
    '--buyers',
    '10',
    '--url',
    stack.baseUrl,
    '--within',
    '1',
    '--json',
    '--pay-share',
    '1',
  ];
  const { exitCode, stdout } = await run('stack/rehearse', args, settings);
  expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({
    exitCode: 0,
    result: { audit: { placed: 4, paid: 4, soldOut: 6, auditOk: true, wrong: [] } },
  });
});

test('the pass of one API counts at the other one, and only for its buyer', async () => {
  const saleId = await createSale({ passWork: 0 });
  const [one, other] = stack.baseUrls;
  const authorization = `Bearer ${stack.token('ann')}`;
  const answer = await fetch(`${one}/pass/${saleId}`, { method: 'POST', headers: { authorization } });
  const { pass } = (await answer.json()) as { pass: string };
  const click = (buyerId: string) =>
    fetch(`${other}/buy/${saleId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.token(buyerId)}`, 'dropline-pass': pass },
    });
  expect([(await click('bob')).status, (await click('ann')).status]).toEqual([403, 202]);
});
