import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { readDraw } from '#core/postgres/draws/draws.js';
import { keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { build } from '../../../support/build.js';
import { cli, type Ended } from '../../../support/command.js';
import { type FakeBeacon, startFakeBeacon } from '../../../support/draws/fake-beacon.js';
import { createDraw, join as joinLine, letOpen, readLine } from '../../../support/draws/lines.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

let beacon: FakeBeacon;
let home = '';
beforeAll(async () => {
  await build();
  beacon = await startFakeBeacon();
  home = await mkdtemp(join(tmpdir(), 'dropline-draw-'));
});
afterAll(async () => {
  await beacon.stop();
  await rm(home, { recursive: true, force: true });
});

const run = (args: string[], more: Record<string, string> = {}): Promise<Ended> =>
  cli(args, { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl, ...more });

async function json(args: string[], more: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await run([...args, '--json'], more);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

const create = (id: string, ...options: string[]) => [
  ...['sale', 'create', '--id', id, '--units', '2', '--price', '1', '--opens', '+1h'],
  ...options,
];

async function opened(sources: { valueSource?: string; valueSubstitute?: string } = {}): Promise<Sale> {
  const sale = await createDraw(t, { units: 2 }, sources);
  await joinLine(t, sale, 'a', 'b', 'c', 'd', 'e');
  await letOpen(t, sale);
  await drawLots(t, sale.id);
  return sale;
}

describe('sale create', () => {
  test('a shuffle is joined 15 minutes before it opens, a draw at once, and a rush never', async () => {
    const shuffle = await json(create('a-shuffle', '--opening', 'shuffle'));
    expect(Date.parse(shuffle.opensAt) - Date.parse(shuffle.joinsAt)).toBe(15 * 60_000);
    expect(shuffle).toMatchObject({ opening: 'shuffle', phase: 'upcoming' });
    const draw = await json(create('a-draw', '--opening', 'draw', '--value-source', 'the lottery of Friday'));
    expect(draw).toMatchObject({ opening: 'draw', phase: 'joining' });
    expect(Math.abs(Date.parse(draw.joinsAt) - Date.now())).toBeLessThan(60_000);
    const later = await json(create('later', '--opening', 'draw', '--joins', '+30m'));
    expect(Date.parse(later.opensAt) - Date.parse(later.joinsAt)).toBeGreaterThan(29 * 60_000);
    expect(await json(create('a-rush'))).toMatchObject({ opening: 'rush', joinsAt: null });
    const shown = await run(['sale', 'show', 'a-shuffle']);
    expect(shown.stdout).toMatch(/opening +shuffle\n.*\n *joins +20\d\d-/);
    expect((await run(['sale', 'list'])).stdout).toMatch(/opening +announced +joins +opens/);
  });

  test.each([
    [['--joins', '+1m'], '--joins needs --opening shuffle or draw'],
    [['--value-source', 'x'], 'need --opening shuffle or draw: a rush has no lots'],
    [['--value-substitute', 'x'], 'need --opening shuffle or draw'],
    [['--beacon'], 'need --opening shuffle or draw'],
    [['--opening', 'lottery'], 'Allowed choices are rush, shuffle, draw'],
    [['--opening', 'draw', '--joins', '+1h'], '--joins must be before --opens'],
    [['--opening', 'draw', '--joins', '+2h'], '--joins must be before --opens'],
    [['--opening', 'draw', '--opens', 'now'], '--opens must be in the future: buyers join before a draw opens'],
    [['--opening', 'shuffle', '--opens', 'now'], '--opens must be in the future'],
    [['--opening', 'draw', '--value-substitute', 'x'], '--value-substitute needs --value-source or --beacon'],
    [['--opening', 'draw', '--value-source', 'x', '--beacon'], 'name one of them'],
    [['--opening', 'draw', '--value-source', ''], 'must have a character that can be seen'],
  ])('%j is refused with one line', async (options, said) => {
    const { exitCode, stdout, stderr } = await run(create('bad', ...options));
    expect({ exitCode, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({
      exitCode: 2,
      stdout: '',
      lines: 1,
    });
    expect(stderr).toContain(said);
  });

  test('--beacon announces the round after the opening, and needs a beacon that answers', async () => {
    const without = await run(create('no-beacon', '--opening', 'draw', '--beacon'));
    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('DRAW_BEACON_URL') });
    const away = await run(create('away', '--opening', 'draw', '--beacon'), { DRAW_BEACON_URL: `${beacon.url}/none` });
    expect(away).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no sale was created') });
    const made = await json(create('by-beacon', '--opening', 'draw', '--beacon', '--value-substitute', 'the lottery'), {
      DRAW_BEACON_URL: `${beacon.url}/`,
    });
    const draw = await readDraw(t.db, 'by-beacon');
    const info = (await (await fetch(`${beacon.url}/info`)).json()) as { genesis_time: number; period: number };
    const comesAtMs = (info.genesis_time + (Number(draw?.beaconRound) - 1) * info.period) * 1_000;
    const afterMs = comesAtMs - Date.parse(made.opensAt);
    expect(afterMs).toBeGreaterThan(30_000);
    expect(afterMs).toBeLessThanOrEqual(33_000);
    expect(draw).toMatchObject({
      valueSource: `the randomness of round ${draw?.beaconRound} of the beacon ${beacon.url}`,
      valueSubstitute: 'the lottery',
    });
    const typed = await run(['draw', 'value', 'by-beacon', '--value', '4 8 15']);
    expect(typed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('64 digits') });
  });
});

describe('draw show and draw value', () => {
  test('it says how far a draw is, until it is dealt', async () => {
    const sale = await createDraw(t, { units: 2 }, { valueSource: 'the lottery', valueSubstitute: 'the weather' });
    const state = async () => (await json(['draw', 'show', sale.id])).state;
    expect(await state()).toBe('joining');
    await joinLine(t, sale, 'a', 'b', 'c', 'd', 'e');
    const early = await run(['draw', 'value', sale.id, '--value', '4 8 15']);
    expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('may still get entries') });
    await letOpen(t, sale);
    await drawLots(t, sale.id);
    const shown = await json(['draw', 'show', sale.id]);
    expect(shown).toMatchObject({ state: 'waiting', entries: 5, waiting: 5, late: 0, valueSource: 'the lottery' });
    expect(shown).not.toHaveProperty('seed');
    expect((await run(['draw', 'show', sale.id])).stdout).toContain('waits for its public value');
    const given = await run(['draw', 'value', sale.id, '--value', '4 8 15']);
    expect(given).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('is decided by "4 8 15" (the lottery)'),
    });
    expect(await state()).toBe('decided');
    const again = await run(['draw', 'value', sale.id, '--value', '16 23', '--substitute']);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('was decided by "4 8 15"') });
    await drawLots(t, sale.id);
    expect(await json(['draw', 'show', sale.id])).toMatchObject({
      state: 'dealt',
      value: '4 8 15',
      isSubstitute: false,
    });
  });

  test('the substitute decides only if one was named', async () => {
    const without = await opened({ valueSource: 'the lottery' });
    const refused = await run(['draw', 'value', without.id, '--value', 'rain', '--substitute']);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('announced no substitute') });
    const sale = await opened({ valueSource: 'the lottery', valueSubstitute: 'the weather' });
    expect(await json(['draw', 'value', sale.id, '--value', 'rain', '--substitute'])).toMatchObject({
      source: 'the weather',
      isSubstitute: true,
    });
    expect((await run(['draw', 'show', sale.id])).stdout).toContain('rain (the substitute)');
  });

  test('a draw without a public value, a sale with a rush, an ended sale and an odd value are refused', async () => {
    const own = await createDraw(t, { units: 1 });
    expect((await run(['draw', 'value', own.id, '--value', 'x'])).stderr).toContain('has announced no public value');
    await run(create('rushed'));
    for (const command of [['show'], ['value', '--value', 'x'], ['export', '--to', join(home, 'x')], ['verify']]) {
      const [name = '', ...options] = command;
      expect((await run(['draw', name, 'rushed', ...options])).stderr).toContain('there is no sale rushed with lots');
    }
    const ended = await opened({ valueSource: 'the lottery' });
    await run(['sale', 'close', ended.id]);
    expect((await run(['draw', 'value', ended.id, '--value', 'x'])).stderr).toContain('is over');
    expect((await json(['draw', 'show', ended.id])).state).toBe('ended');
    for (const value of ['', 'x'.repeat(257), 'a\u0007b']) {
      expect((await run(['draw', 'value', ended.id, '--value', value])).exitCode).toBe(2);
    }
  });
});

describe('draw export and draw verify', () => {
  test('an export needs a closed list and a new folder, and no Redis', async () => {
    const sale = await createDraw(t, { units: 1 });
    const to = join(home, 'closed');
    expect((await run(['draw', 'export', sale.id, '--to', to])).stderr).toContain('is not closed');
    const drawn = await opened();
    const exported = await cli(['draw', 'export', drawn.id, '--to', to, '--json'], { DATABASE_URL: t.databaseUrl });
    expect(JSON.parse(exported.stdout)).toEqual({ sale: drawn.id, folder: to, entries: 5, chunks: 1 });
    expect((await run(['draw', 'export', drawn.id, '--to', to])).stderr).toContain('name a new folder');
    expect((await cli(['draw', 'verify', '--from', to], {})).stdout).toContain('everything agrees');
    const { commitment } = await json(['draw', 'show', drawn.id]);
    expect((await cli(['draw', 'verify', '--from', to, '--commitment', commitment], {})).exitCode).toBe(0);
    expect((await cli(['draw', 'verify', '--from', to, '--commitment', 'ab'.repeat(32)], {})).exitCode).toBe(1);
    expect((await cli(['draw', 'verify', '--from', home], {})).stderr).toContain('about.json is missing');
    expect((await cli(['draw', 'verify'], {})).exitCode).toBe(2);
    expect((await cli(['draw', 'verify', drawn.id, '--from', to], {})).exitCode).toBe(2);
  });

  test('verify compares Postgres with the line in Redis, and names who stands elsewhere', async () => {
    const sale = await opened();
    expect(await json(['draw', 'verify', sale.id])).toMatchObject({ ok: true, faults: [], entries: 5 });
    const [first = '', second = ''] = await readLine(t, sale);
    const lot = await t.redis.zscore(keysOf(sale.id).standby, first);
    await t.redis.zadd(keysOf(sale.id).standby, Number(lot) - 1, second);
    expect(await run(['draw', 'verify', sale.id])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining(`not at their lot in the line: ${second}`),
    });
  });

  test('verify finds an entry that was changed in Postgres, and its number', async () => {
    const sale = await opened();
    await t.db.$executeRaw`UPDATE entries SET buyer_id = 'eve' WHERE sale_id = ${sale.id} AND number = 3`;
    const { exitCode, stdout } = await run(['draw', 'verify', sale.id]);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('the root of the entries is'),
    });
    expect(stdout).toContain('entry 3 is of another buyer in Postgres');
  });
});
