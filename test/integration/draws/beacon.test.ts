import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { askBeacon } from '#core/maintenance/line/ask-beacon.js';
import { drawAllLots } from '#core/maintenance/line/draw-lots.js';
import { countAwaitingValue, readDraw } from '#core/postgres/draws/draws.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { BeaconError, beaconWords, readRound, roundAfter } from '#core/steps/line/beacon.js';
import {
  type BeaconAnswer,
  type FakeBeacon,
  goodAnswer,
  startFakeBeacon,
  valueOfRound,
} from '../../support/draws/fake-beacon.js';
import { createDraw, join, letOpen } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

let beacon: FakeBeacon;
beforeAll(async () => {
  beacon = await startFakeBeacon();
});
beforeEach(async () => {
  beacon.answer = goodAnswer;
  beacon.asked.splice(0);
  await t.db.$executeRaw`UPDATE sales SET state = 'closed'`;
});
afterAll(() => beacon.stop());

/** A draw that has opened with 5 entries, and waits for a round. */
async function waiting(beaconRound: number, url = beacon.url): Promise<Sale> {
  const sale = await createDraw(t, { units: 2 }, { valueSource: beaconWords({ url }, beaconRound), beaconRound });
  await join(t, sale, 'a', 'b', 'c', 'd', 'e');
  await letOpen(t, sale);
  await drawAllLots({ ...t, beacon });
  expect(await readDraw(t.db, sale.id)).toMatchObject({ list: { entries: 5 }, decided: undefined });
  return sale;
}

const round = async () => {
  await askBeacon({ ...t, beacon });
  await drawAllLots({ ...t, beacon });
};

async function expectNothingOpened({ id }: Sale): Promise<void> {
  expect(await readDraw(t.db, id)).toMatchObject({ decided: undefined, isDealt: false });
  expect(await readLoadedSale(t.redis, id)).toMatchObject({ line: 'joining', remaining: 2 });
}

async function expectDecided({ id }: Sale, value: string): Promise<void> {
  expect(await readDraw(t.db, id)).toMatchObject({ decided: { value, isSubstitute: false }, isDealt: true });
  expect(await readLoadedSale(t.redis, id)).toMatchObject({ line: 'ordered', remaining: 0 });
}

const json = (answer: unknown): BeaconAnswer => {
  return (_, res) => void res.end(JSON.stringify(answer));
};

/** The answers that may not decide a draw, and what is said of each. */
const REFUSED: [name: string, answer: BeaconAnswer, said: string][] = [
  ['another round', (n, res) => goodAnswer(n + 1, res), 'the beacon answered round 8 and not 7'],
  ['no randomness', json({ round: 7 }), 'has another form'],
  ['randomness of another length', json({ round: 7, randomness: 'ab' }), 'has another form'],
  ['a list', json([]), 'has another form'],
  ['no JSON', (_, res) => void res.end('<html>'), 'is no JSON'],
  ['an error', (_, res) => void res.writeHead(500).end(), 'the beacon answered 500'],
  [
    'a redirect',
    (_, res) => void res.writeHead(302, { location: '/chain/public/8' }).end(),
    'gives no answer: unexpected redirect',
  ],
  ['too much', (_, res) => void res.end(' '.repeat(20_000)), 'is longer than 16384 bytes'],
  [
    'half an answer',
    (_, res) => void res.writeHead(200, { 'content-length': 99 }).write('{', () => res.destroy()),
    'gives no answer',
  ],
];

test.each(REFUSED)('a beacon that answers %s opens nothing, and its value may come later', async (_, answer, said) => {
  const sale = await waiting(7);
  beacon.answer = answer;
  await expect(readRound(beacon, 7)).rejects.toThrow(said);
  await round();
  await expectNothingOpened(sale);
  expect(await countAwaitingValue(t.db)).toBe(1);
  beacon.answer = goodAnswer;
  await round();
  await expectDecided(sale, valueOfRound(7));
  expect(await countAwaitingValue(t.db)).toBe(0);
});

test.each<[string, BeaconAnswer]>([
  ['404', (_, res) => void res.writeHead(404).end('not yet')],
  ['425', (_, res) => void res.writeHead(425).end('{}')],
  ['an empty answer', (_, res) => void res.end()],
])('a round that has not come yet (%s) is no error, and is waited for', async (_, answer) => {
  const sale = await waiting(9);
  beacon.answer = answer;
  expect(await readRound(beacon, 9)).toBeUndefined();
  await round();
  await expectNothingOpened(sale);
  beacon.answer = goodAnswer;
  await round();
  await expectDecided(sale, valueOfRound(9));
});

test('a beacon that cannot be reached opens nothing, and is asked once in a round', async () => {
  const nowhere = await startFakeBeacon();
  await nowhere.stop();
  const sales = [await waiting(7, nowhere.url), await waiting(8, nowhere.url)];
  await expect(readRound(nowhere, 7)).rejects.toThrow('gives no answer: connect ECONNREFUSED');
  await askBeacon({ ...t, beacon: nowhere });
  for (const sale of sales) await expectNothingOpened(sale);
  const away = [await waiting(17), await waiting(18)];
  beacon.answer = (_, res) => void res.writeHead(503).end();
  await round();
  expect(beacon.asked).toEqual([17]);
  for (const sale of away) await expectNothingOpened(sale);
});

test('a beacon that never answers is given up after 5 s, and other draws have their order meanwhile', async () => {
  const slow = await waiting(7);
  const own = await createDraw(t, { units: 1 });
  await join(t, own, 'a', 'b');
  await letOpen(t, own);
  beacon.answer = () => undefined;
  const startedAtMs = performance.now();
  const asking = askBeacon({ ...t, beacon });
  await drawAllLots({ ...t, beacon });
  expect(await readDraw(t.db, own.id)).toMatchObject({ isDealt: true });
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  await asking;
  expect(performance.now() - startedAtMs).toBeGreaterThan(4_900);
  await expectNothingOpened(slow);
});

test('one draw whose answer is wrong holds up no other one', async () => {
  const [first, second] = [await waiting(7), await waiting(8)];
  beacon.answer = (n, res) => (n === 7 ? void res.end('[]') : goodAnswer(n, res));
  await round();
  await expectNothingOpened(first);
  await expectDecided(second, valueOfRound(8));
});

test('a failure of Postgres is no failure of the beacon', async () => {
  const sale = await waiting(6);
  await t.db.$executeRaw`ALTER TABLE draws ADD CONSTRAINT undecided CHECK (value IS NULL) NOT VALID`;
  try {
    await expect(askBeacon({ ...t, beacon })).rejects.toThrow('undecided');
  } finally {
    await t.db.$executeRaw`ALTER TABLE draws DROP CONSTRAINT undecided`;
  }
  await round();
  await expectDecided(sale, valueOfRound(6));
});

test('another beacon than the announced one decides nothing', async () => {
  const sale = await waiting(7, 'https://beacon.example/chain');
  await round();
  await expectNothingOpened(sale);
  expect(beacon.asked).toEqual([]);
});

test('a worker without a beacon leaves the draw to others', async () => {
  const sale = await waiting(7);
  await askBeacon(t);
  await drawAllLots(t);
  await expectNothingOpened(sale);
  await round();
  await expectDecided(sale, valueOfRound(7));
});

test('a sale that an operator ended is not decided any more', async () => {
  const sale = await waiting(7);
  await t.db.sale.update({ where: { id: sale.id }, data: { state: 'closed' } });
  await round();
  await expectNothingOpened(sale);
  expect(await countAwaitingValue(t.db)).toBe(0);
});

test('the round after a time is the first one that comes later', async () => {
  const { period, genesis_time: genesis } = (await (await fetch(`${beacon.url}/info`)).json()) as {
    period: number;
    genesis_time: number;
  };
  const timeOf = (n: number) => (genesis + (n - 1) * period) * 1_000;
  for (const timeMs of [timeOf(1) - 1, timeOf(50), timeOf(50) + 1, timeOf(51) - 1, timeOf(1_000)]) {
    const found = await roundAfter(beacon, timeMs);
    expect(timeOf(found)).toBeGreaterThan(timeMs);
    expect(found === 1 || timeOf(found - 1) <= timeMs).toBe(true);
  }
  await expect(roundAfter({ url: `${beacon.url}/no` }, 0)).rejects.toThrow(BeaconError);
});
