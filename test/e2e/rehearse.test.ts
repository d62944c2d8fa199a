import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { createBuyerPlans, startCrowd } from '#stack/crowd/crowd.js';
import { run } from '../support/command.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// `npm run rehearse` against a stack of our own: its exit code is a verdict.

const PRICE_MINOR = 4_900;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack?.stop());

/** Sends ten buyers at a sale. */
async function rehearse(saleId: string, stores: Record<string, string>, ...more: string[]) {
  const settings = { AUTH_SECRET: stack.authSecret, ...stores };
  const args = ['--sale', saleId, '--buyers', '10', '--url', stack.baseUrl, '--within', '1', '--json', ...more];
  const { exitCode, stdout, stderr } = await run('stack/rehearse', args, settings);
  return { exitCode, result: stdout === '' ? stderr : JSON.parse(stdout) };
}

const stores = () => ({ REDIS_URL: stack.stores.redisUrl, DATABASE_URL: stack.stores.databaseUrl });

test('a rehearsal in which everybody is answered truly ends with 0', async () => {
  const saleId = await stack.createSale({ units: 4, standbyFactor: 0, priceMinor: PRICE_MINOR });
  const { exitCode, result } = await rehearse(saleId, stores(), '--pay-share', '1');
  expect({ exitCode, result }).toMatchObject({
    exitCode: 0,
    result: { sale: saleId, buyers: 10, audit: { placed: 4, paid: 4, soldOut: 6, auditOk: true, wrong: [] } },
  });
});

test('a rehearsal on money that does not add up ends with 1, and says so', async () => {
  const saleId = await stack.createSale({ units: 1, standbyFactor: 0, priceMinor: PRICE_MINOR });
  const { db } = stack.connections;
  await stack.credit('bystander', PRICE_MINOR);
  await db.$executeRaw`UPDATE accounts SET balance_minor = balance_minor + 1 WHERE owner = 'bystander'`;
  const { exitCode, result } = await rehearse(saleId, stores());
  await db.$executeRaw`UPDATE accounts SET balance_minor = balance_minor - 1 WHERE owner = 'bystander'`;
  expect(exitCode).toBe(1);
  expect(result.audit).toMatchObject({
    auditOk: false,
    oversold: 0,
    lost: 0,
    wrong: [expect.stringMatching(/balance/)],
  });
});

test('a rehearsal without stores proves nothing, and ends with 1 if somebody is not answered', async () => {
  const open = await stack.createSale({ units: 20, standbyFactor: 0 });
  const proved = await rehearse(open, {});
  expect(proved).toMatchObject({ exitCode: 0, result: { audit: null } });
  await stack.worker.stop();
  const waiting = await stack.createSale({ units: 20, standbyFactor: 0 });
  const { exitCode, result } = await rehearse(waiting, {}, '--patience', '2');
  await stack.worker.restart();
  expect({ exitCode, result }).toMatchObject({ exitCode: 1, result: { audit: null } });
});

test('a crowd that joins a draw before its opening gets true answers, whether it gets units or not', async () => {
  const opensAtMs = Date.now() + 8_000;
  const saleId = await stack.createSale({
    units: 3,
    payWithinSeconds: 12,
    opening: 'draw',
    joinsAtMs: Date.now(),
    opensAtMs,
  });
  const { exitCode, result } = await rehearse(saleId, stores(), '--opening', 'draw');
  expect({ exitCode, result }).toMatchObject({
    exitCode: 0,
    result: { audit: { joined: 10, placed: 3, auditOk: true, wrong: [] } },
  });
});

test.each([
  ['with another opening', {}, 'opens with rush'],
  ['that has opened', { opening: 'draw', joinsAtMs: Date.now() - 2, opensAtMs: Date.now() - 1 }, 'has opened'],
] as const)('a crowd cannot join a sale %s', async (_, wishes, text) => {
  const saleId = await stack.createSale({ units: 1, ...wishes });
  const { exitCode, result } = await rehearse(saleId, stores(), '--opening', 'draw');
  expect(exitCode).toBe(1);
  expect(result).toContain(text);
});

test('a rehearsal of a sale that needs passes gets them before the opening, and then buys', async () => {
  const pass = { needsPass: true, passWork: 40, opensInSeconds: 8 };
  const saleId = await stack.createSale({ units: 4, standbyFactor: 0, priceMinor: PRICE_MINOR, ...pass });
  const { exitCode, result } = await rehearse(saleId, stores(), '--pay-share', '1');
  expect({ exitCode, result }).toMatchObject({
    exitCode: 0,
    result: { answers: { 'pass 200': 20 }, audit: { placed: 4, paid: 4, soldOut: 6, auditOk: true } },
  });
  expect(Object.keys(result.answers).filter(answer => answer.includes('pass_'))).toEqual([]);
});

test('a rehearsal in which nobody pays counts an end for each buyer who held a unit', async () => {
  const wishes = { units: 4, standbyFactor: 2, unpaidLimit: 1, needsPass: true, passWork: 10 };
  const saleId = await stack.createSale({ ...wishes, priceMinor: PRICE_MINOR });
  const { exitCode, result } = await rehearse(saleId, stores(), '--pay-share', '0');
  expect({ exitCode, result }).toMatchObject({ exitCode: 0, result: { audit: { paid: 0, auditOk: true, wrong: [] } } });
  const records = await stack.connections.redis.hvals(keysOf(saleId).claims);
  expect(records.length).toBeGreaterThan(4);
  expect(records.filter(record => !/ cancelled .*strikes=1/.test(record))).toEqual([]);
});

test('buyers who come to an open sale without a pass get one after the first click', async () => {
  const saleId = await stack.createSale({ units: 4, standbyFactor: 0, needsPass: true, passWork: 10 });
  const crowd = startCrowd({
    baseUrls: stack.baseUrls,
    saleId,
    authSecret: stack.authSecret,
    plans: createBuyerPlans({ buyers: 4, prefix: `late-${saleId}-`, clicksMax: 2, payShare: 0, others: 'cancel' }),
    arriveWithinMs: 100,
    patienceMs: 60_000,
  });
  const { buyers, answers } = await crowd.finished;
  expect(buyers.map(({ stage }) => stage)).toEqual(buyers.map(() => 'cancelled'));
  expect(answers).toMatchObject({ 'buy 403 pass_required': 6, 'pass 200': 8 });
});
