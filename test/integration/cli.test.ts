import { createServer } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { buyerIdOf } from '#core/identity/buyer-id.js';
import { readOperators } from '#core/identity/operators.js';
import { createBuyerVerifier } from '#core/identity/token.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { claim } from '#core/redis/claims/claim.js';
import { keysOf } from '#core/redis/keys.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { DAY_MS } from '#core/rules/clock.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { build } from '../support/build.js';
import { cli, type Ended } from '../support/command.js';
import { openTestSale, win, winOne } from '../support/sales.js';
import { loseClaim } from '../support/stores/by-hand.js';
import { useStores } from '../support/stores/stores.js';

const AUTH_SECRET = 'a secret of the test, and long enough';

const stores = useStores();
beforeAll(build);

/** Reads a token as the API does. */
const verify = createBuyerVerifier([AUTH_SECRET], { audience: undefined, lifeMaxMs: DAY_MS });

const run = (...args: string[]): Promise<Ended> =>
  cli(args, { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl, AUTH_SECRET });

/** Runs a command that must succeed, and parses its line of JSON. */
async function json(...args: string[]) {
  const { exitCode, stdout, stderr } = await run(...args, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

/** Expects one line with the cause, nothing on standard output, and no stack trace. */
function expectRefusal({ exitCode, stdout, stderr }: Ended, code: number, said: string | RegExp): void {
  expect({ exitCode, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
    exitCode: code,
    stdout: '',
    lines: 1,
  });
  expect(stderr).toMatch(said);
}

describe('sale create', () => {
  test('sale create creates a sale with the defaults, which sells at once', async () => {
    const made = await json('sale', 'create', '--id', 'plain', '--units', '3', '--price', '1250');
    expect(made).toMatchObject({ id: 'plain', units: 3, free: 3, priceMinor: 1250, currency: 'EUR', phase: 'open' });
    expect(made).toMatchObject({ payWithinSeconds: 900, settlement: 'deferred', standbyFactor: 5, inRedis: 'ready' });
    expect(Date.parse(made.closesAt) - Date.parse(made.opensAt)).toBe(24 * 3_600_000);
    expect(await win(stores, { id: 'plain' }, 'b1')).toHaveLength(1);
  });

  test('sale create takes every option', async () => {
    const options = ['--currency', 'JPY', '--opens', '+1h', '--closes', '2090-01-01T00:00:00Z', '--pay-within', '5'];
    const more = ['--settlement', 'immediate', '--standby-factor', '0', '--title', 'A <kettle>'];
    const made = await json('sale', 'create', '--id', 'full', '--units', '1', '--price', '0', ...options, ...more);
    expect(made).toMatchObject({ title: 'A <kettle>', currency: 'JPY', phase: 'upcoming', payWithinSeconds: 5 });
    expect(made).toMatchObject({ settlement: 'immediate', standbyFactor: 0, closesAt: '2090-01-01T00:00:00.000Z' });
  });

  test('sale create refuses a known id, and finishes a sale after a crash', async () => {
    const args = ['sale', 'create', '--id', 'twice', '--units', '2', '--price', '1'];
    expect((await run(...args)).exitCode).toBe(0);
    expectRefusal(await run(...args), 1, 'sale twice exists already');
    await stores.redis.del(...Object.values(keysOf('twice')));
    expect((await run(...args)).exitCode).toBe(0);
    expect(await readLoadedSale(stores.redis, 'twice')).toMatchObject({ units: 2, remaining: 2 });
  });

  // test/unit/apps/cli-options.test.ts has the forms of each option.
  test.each([
    ['--units', '0', 'option .--units <n>. argument .0. is invalid. It must be a whole number from 1 to 10000000'],
    ['--closes', '2020-01-01T00:00:00Z', '--closes must be after --opens'],
    ['--settlement', 'later', 'deferred, immediate'],
  ])('sale create refuses %s %s', async (option, value, said) => {
    const options = { '--id': 'bad', '--units': '1', '--price': '1', [option]: value };
    expectRefusal(await run('sale', 'create', ...Object.entries(options).flat()), 2, new RegExp(said));
  });
});

describe('changing a sale', () => {
  test('pause, restock and resume reach both stores, and buyers on standby get the new units', async () => {
    const sale = await openTestSale(stores, { units: 1, standbyFactor: 5 });
    await winOne(stores, sale, 'first');
    expect(await json('sale', 'pause', sale.id)).toMatchObject({ state: 'paused', units: 1 });
    const refused = await claim(stores.redis, sale.id, [{ buyerId: 'late', claimId: crypto.randomUUID() }]);
    expect(refused).toEqual([expect.objectContaining({ kind: 'refused', refusal: 'paused' })]);
    await stores.redis.zadd(keysOf(sale.id).standby, 1, 'second');
    expect(await json('sale', 'restock', sale.id, '--units', '2')).toMatchObject({ units: 3, promoted: 0 });
    expect(await json('sale', 'resume', sale.id)).toEqual({
      sale: sale.id,
      state: 'open',
      units: 3,
      promoted: 1,
      inRedis: true,
    });
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ units: 3, remaining: 1, generation: 4 });
    const promoted = await stores.queues.of('')['place-waiting'].getJobs();
    expect(promoted.map(job => job.data)).toEqual([{ saleId: sale.id }]);
    expect(await stores.redis.zrange(keysOf(sale.id).outbox, '0', '-1')).toContain('second');
  });

  test('a closed sale stays closed', async () => {
    const sale = await openTestSale(stores);
    expect(await json('sale', 'close', sale.id)).toMatchObject({ state: 'closed' });
    expectRefusal(await run('sale', 'resume', sale.id), 1, 'is closed, and stays as it is');
    expect(await json('sale', 'show', sale.id)).toMatchObject({ state: 'closed', phase: 'closed' });
  });

  test('an unknown sale and a restock without units are refused', async () => {
    expectRefusal(await run('sale', 'pause', 'absent'), 1, 'there is no sale absent');
    expectRefusal(await run('sale', 'restock', 'absent'), 2, '--units');
  });

  test('sale list has every sale', async () => {
    const sale = await openTestSale(stores);
    const listed: { id: string }[] = await json('sale', 'list');
    expect(listed.map(({ id }) => id)).toContain(sale.id);
    expect((await run('sale', 'list')).stdout).toContain(sale.id);
  });
});

describe('token and credit', () => {
  test('token prints only a token, and needs no store', async () => {
    const { exitCode, stdout } = await cli(['token', '--buyer', 'b1'], {
      AUTH_SECRET,
      REDIS_URL: 'redis://127.0.0.1:1',
    });
    expect(exitCode).toBe(0);
    expect(verify(stdout.trimEnd())).toEqual({ kind: 'buyer', buyerId: 'b1' });
  });

  test("a buyer is named as in the shop's tokens, or by the id that was made of the name", async () => {
    const buyerId = String(buyerIdOf('mia@example.com'));
    const { stdout: token } = await run('token', '--buyer', 'Mia@Example.com');
    expect(verify(token.trimEnd())).toEqual({ kind: 'buyer', buyerId });
    await run('credit', '--buyer', 'mia@example.com', '--amount', '5');
    const balances = [{ currency: 'EUR', balanceMinor: 5 }];
    expect(await json('balance', '--buyer', buyerId)).toEqual({ buyer: buyerId, balances });
  });

  test('credit prints the new balance', async () => {
    expect((await run('credit', '--buyer', 'rich', '--amount', '500')).stdout).toBe('500\n');
    expect((await run('credit', '--buyer', 'rich', '--amount', '250')).stdout).toBe('750\n');
    expect(await readBalance(stores.db, 'rich', 'EUR')).toBe(750);
    expectRefusal(await run('credit', '--buyer', 'rich', '--amount', '-5'), 2, 'whole number');
  });
});

describe('audit, reconcile, rebuild', () => {
  test('the audit finds a lost claim, a dry run leaves it, and reconcile repairs it', async () => {
    const sale = await openTestSale(stores);
    const won = await winOne(stores, sale, 'b1');
    await placeOrders(stores, { saleId: sale.id, claims: [won] });
    expect(await json('audit', sale.id)).toMatchObject({ sale: sale.id, ok: true, violations: [], units: 3 });
    await loseClaim(stores, sale.id, won);
    const violated = await run('audit', sale.id, '--json');
    expect(violated.exitCode).toBe(1);
    expect(JSON.parse(violated.stdout)).toMatchObject({
      ok: false,
      violations: [expect.stringContaining(won.claimId)],
    });
    const looked = await json('reconcile', sale.id, '--dry-run');
    expect(looked).toMatchObject({ dryRun: true, differences: [{ kind: 'claim_missing' }], repairs: [] });
    expect(await json('reconcile', sale.id)).toMatchObject({ repairs: [{ kind: 'restored_claim' }] });
    expect((await run('audit', sale.id)).stdout).toContain('every promise holds');
  });

  test('rebuild restores a sale in Redis', async () => {
    const sale = await openTestSale(stores);
    await placeOrders(stores, { saleId: sale.id, claims: await win(stores, sale, 'b1', 'b2') });
    await stores.redis.del(...Object.values(keysOf(sale.id)));
    expect((await run('rebuild', sale.id)).stdout).toContain('with 2 claims');
    expect(await readLoadedSale(stores.redis, sale.id)).toMatchObject({ remaining: 1 });
  });

  test.each(['audit', 'reconcile', 'rebuild'])('%s of an unknown sale is refused', async command => {
    expectRefusal(await run(command, 'absent'), 1, 'there is no sale absent');
  });
});

describe('missing stores and settings', () => {
  test('a command ends in time with one line when a store refuses or never answers', async () => {
    const silent = createServer();
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const credit = ['credit', '--buyer', 'b', '--amount', '1'];
    const [refusing, mute, nowhere, dumb] = await Promise.all([
      cli(['audit', 'x'], { DATABASE_URL: stores.databaseUrl, REDIS_URL: 'redis://user:secret@127.0.0.1:1' }),
      cli(['audit', 'x'], { DATABASE_URL: stores.databaseUrl, REDIS_URL: `redis://127.0.0.1:${port}` }),
      cli(credit, { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/x' }),
      cli(credit, { DATABASE_URL: `postgres://user:secret@127.0.0.1:${port}/x` }),
    ]);
    silent.close();
    for (const ended of [refusing, mute]) expectRefusal(ended, 1, /^Redis at 127\.0\.0\.1:\d+ does not answer/);
    for (const ended of [nowhere, dumb]) expectRefusal(ended, 1, /^Postgres at 127\.0\.0\.1:\d+ does not answer/);
    expect(refusing.stderr + nowhere.stderr + dumb.stderr).not.toContain('secret');
  });

  test('a command without tables names migrate, which creates them', async () => {
    const url = new URL(stores.databaseUrl);
    await stores.db.$executeRaw`CREATE DATABASE empty`;
    url.pathname = '/empty';
    const env = { DATABASE_URL: url.href };
    expectRefusal(await cli(['credit', '--buyer', 'b', '--amount', '1'], env), 1, 'cli -- migrate');
    expect((await cli(['migrate'], env)).stdout).toMatch(/^applied 0001_init/);
    expect((await cli(['migrate'], env)).stdout).toBe('up to date\n');
  });

  test('the error names a missing setting', async () => {
    // No running stack has this URL, so its settings are not used.
    expectRefusal(
      await cli(['token', '--buyer', 'b'], { REDIS_URL: 'redis://127.0.0.1:1' }),
      1,
      'AUTH_SECRET is not set',
    );
  });

  test.each([[[]], [['audit', 'x', '--jsno']]])('%j is a usage error', async args => {
    expect((await run(...args)).exitCode).toBe(2);
  });
});

test('operator create prints a token, and an entry of OPERATORS that admits it', async () => {
  const { token, entry } = await json('operator', 'create', '--name', 'ann', '--roles', 'money,read');
  const ann = readOperators({ OPERATORS: entry }).withToken(token);
  expect(ann).toMatchObject({ name: 'ann', roles: ['read', 'money'] });
  expect(entry).not.toContain(token);
  expectRefusal(await run('operator', 'create', '--name', 'ann', '--roles', 'all'), 2, 'read, operate, money');
});

describe('balance, statement and refund', () => {
  test('balance and statement show a buyer’s money, and refund gives it back once', async () => {
    const sale = await openTestSale(stores, { units: 1, priceMinor: 500 });
    await run('credit', '--buyer', 'payer', '--amount', '600');
    const claim = await winOne(stores, sale, 'payer');
    await placeOrders(stores, { saleId: sale.id, claims: [claim] });
    await payOrder(stores, { saleId: sale.id, claimId: claim.claimId, buyerId: 'payer' });
    expect(await json('balance', '--buyer', 'payer')).toMatchObject({
      balances: [{ currency: 'EUR', balanceMinor: 100 }],
    });
    expect((await run('balance', '--buyer', 'payer', '--currency', 'CHF')).stdout).toBe('CHF 0.00\n');
    expectRefusal(await run('refund', claim.claimId), 2, /^say --restock/);
    expectRefusal(
      await run('refund', claim.claimId, '--amount', '1.20'),
      2,
      'in minor units, such as 4900 for EUR 49.00',
    );
    expect(await json('refund', claim.claimId, '--restock', 'no')).toMatchObject({ status: 'refunded', now: true });
    expect(await json('refund', claim.claimId, '--restock', 'no')).toMatchObject({ now: false });
    const { lines } = await json('statement', '--buyer', 'payer');
    expect(lines.map(({ amountMinor }: { amountMinor: number }) => amountMinor)).toEqual([600, -500, 500]);
    expect(await json('audit', sale.id)).toMatchObject({ ok: true });
  });

  test('refund gives a part back once, and the order stays paid', async () => {
    const sale = await openTestSale(stores, { units: 1, priceMinor: 500 });
    await creditWallets(stores.db, ['part-payer'], { amountMinor: 500, currency: 'EUR' });
    const claim = await winOne(stores, sale, 'part-payer');
    await placeOrders(stores, { saleId: sale.id, claims: [claim] });
    await payOrder(stores, { saleId: sale.id, claimId: claim.claimId, buyerId: 'part-payer' });
    expectRefusal(await run('refund', claim.claimId, '--amount', '500'), 1, 'only 500 is left');
    expect(await json('refund', claim.claimId, '--amount', '120')).toMatchObject({ refundedMinor: 120 });
    expectRefusal(await run('refund', claim.claimId, '--amount', '120'), 1, '--refunded 120');
    expectRefusal(await run('end-refund', claim.claimId, '--note', 'by hand'), 1, 'no refund of order');
    expect(await readBalance(stores.db, 'part-payer', 'EUR')).toBe(120);
  });
});
