import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ListBuilder } from '#core/draw/list.js';
import { publishedEntry, saltOf } from '#core/draw/lot.js';
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { decideDraw, readDraw } from '#core/postgres/draws/draws.js';
import { restoreEntry } from '#core/redis/draw/entries.js';
import { keysOf } from '#core/redis/keys.js';
import { keepEntries } from '#core/steps/line/keep-entries.js';
import { build } from '../../../support/build.js';
import { cli } from '../../../support/command.js';
import { createDraw, join as joinLine, letOpen } from '../../../support/draws/lines.js';
import { entriesOf, fromHex, vectors } from '../../../support/draws/vectors.js';
import { verifyDrawAlone } from '../../../support/draws/verify-draw.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

const COUNT = 1_100;
const FULL = 1_024;

let home = '';
let folder = '';
let saleId = '';

/** A draw of 1,100 entries, one late entry and a public value, as `cli draw export` writes it. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dropline-draw-'));
  folder = join(home, 'export');
  await build();
  const sale = await createDraw(t, { units: 5 }, { valueSource: 'the numbers of Friday, with spaces between' });
  saleId = sale.id;
  const names = Array.from({ length: COUNT }, (_, i) => `buyer-${i + 1}`);
  for (let at = 0; at < COUNT; at += 100) await joinLine(t, sale, ...names.slice(at, at + 100));
  await letOpen(t, sale);
  await drawLots(t, saleId);
  await decideDraw(t.db, saleId, { value: '4 8 15', isSubstitute: false });
  await drawLots(t, saleId);
  await restoreEntry(t.redis, saleId, { buyerId: 'late', number: 5_000 });
  await keepEntries(t, saleId);
  const { exitCode, stderr } = await cli(['draw', 'export', saleId, '--to', folder], { DATABASE_URL: t.databaseUrl });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});
afterAll(() => rm(home, { recursive: true, force: true }));

const aboutOf = async (from: string) => JSON.parse(await readFile(join(from, 'about.json'), 'utf8'));
const saltOfBuyer = async (buyerId: string) =>
  saltOf((await readDraw(t.db, saleId))?.saltKey ?? Buffer.alloc(0), buyerId).toString('hex');

/** Copies the export, changes a file of it, and runs both verifiers on it. */
async function verifyChanged(name: string, change: (bytes: Buffer) => Buffer) {
  const copy = await mkdtemp(join(home, 'changed-'));
  await cp(folder, copy, { recursive: true });
  await writeFile(join(copy, name), change(await readFile(join(copy, name))));
  return { alone: await verifyDrawAlone(copy), own: await cli(['draw', 'verify', '--from', copy], {}) };
}

describe('the independent verifier', () => {
  test('it finds that a real export agrees, and the same order as the command line', async () => {
    const { stdout, exitCode } = await verifyDrawAlone(folder, '--first', '5');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${COUNT} entries and 1 late ones`);
    const verified = await cli(['draw', 'verify', '--from', folder, '--first', '5', '--json'], {});
    const { order, ok } = JSON.parse(verified.stdout) as { ok: boolean; order: { number: number; lot: number }[] };
    expect(ok).toBe(true);
    const lines = order.map(({ number, lot }, i) => `  ${i + 1}. entry ${number}  lot ${lot}`);
    expect(stdout.replaceAll(' (late)', '').split('\n')).toEqual(expect.arrayContaining(lines));
    const winners = Object.keys(await t.redis.hgetall(keysOf(saleId).claims)).sort();
    expect(order.map(({ number }) => `buyer-${number}`).sort()).toEqual(winners);
  });

  test('it reads the same from the published addresses', async () => {
    const server = createServer((req, res) => {
      const path = (req.url ?? '').replace(`/draws/${saleId}`, '') || '/about.json';
      readFile(join(folder, path)).then(
        bytes => res.end(bytes),
        () => res.writeHead(404).end(),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/draws/${saleId}`;
    const { exitCode, stdout } = await verifyDrawAlone(address);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('everything agrees') });
    expect(stdout).toMatch(/1 late ones[\s\S]*the order lacks the late entries/);
    expect((await verifyDrawAlone(address.replace(saleId, 'other'))).exitCode).toBe(1);
    server.closeAllConnections();
    await once(server.close(), 'close');
  });

  test('it checks the entry and the position of one buyer', async () => {
    const salt = await saltOfBuyer('buyer-7');
    const good = await verifyDrawAlone(folder, '--number', '7', '--buyer', 'buyer-7', '--salt', salt);
    expect(good.exitCode).toBe(0);
    const place = /entry 7 is in the list, and has place (\d+) of 1101/.exec(good.stdout)?.[1];
    expect((await verifyDrawAlone(folder, '--number', '7', '--place', String(place))).exitCode).toBe(0);
    const wrong = [
      ['--number', '7', '--place', String(Number(place) + 1)],
      ['--number', '7', '--buyer', 'buyer-8', '--salt', salt],
      ['--number', '8', '--buyer', 'buyer-7', '--salt', salt],
      ['--number', '7', '--buyer', 'buyer-7', '--salt', await saltOfBuyer('buyer-8')],
      ['--number', '1101'],
      ['--commitment', 'ab'.repeat(32)],
    ];
    for (const args of wrong) {
      expect([args, await verifyDrawAlone(folder, ...args)]).toMatchObject([args, { exitCode: 1 }]);
    }
    expect((await verifyDrawAlone(folder, '--buyer', 'buyer-7')).exitCode).toBe(2);
  });

  const flip = (at: number) => (bytes: Buffer) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  const edit = (from: RegExp, to: string) => (bytes: Buffer) => Buffer.from(bytes.toString().replace(from, to));

  test.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['a changed entry', 'entries/0', flip(40 * 500 + 20)],
    ['a changed number', 'entries/0', flip(40 * 500 + 7)],
    [
      'an added entry',
      'entries/1',
      bytes => Buffer.concat([bytes, publishedEntry(Buffer.alloc(32), { number: 2_000, buyerId: 'eve' })]),
    ],
    ['a dropped entry', 'entries/1', bytes => bytes.subarray(0, -40)],
    [
      'a dropped entry of the middle',
      'entries/0',
      bytes => Buffer.concat([bytes.subarray(0, 400), bytes.subarray(440)]),
    ],
    [
      'two entries that changed places',
      'entries/0',
      bytes => Buffer.concat([bytes.subarray(40, 80), bytes.subarray(0, 40), bytes.subarray(80)]),
    ],
    ['another seed', 'about.json', edit(/"seed": "../, '"seed": "zz'.replace('zz', 'ff'))],
    ['another root', 'about.json', edit(/"root": "......../, '"root": "ffffffff')],
    ['another commitment', 'about.json', edit(/"commitment": "......../, '"commitment": "ffffffff')],
    ['another number of entries', 'about.json', edit(/"entries": 1100/, '"entries": 1099')],
    ['a late entry that is missing', 'late.json', () => Buffer.from('{"entries":[]}')],
    ['a chunk more', 'about.json', edit(/"entries": 1100/, `"entries": ${FULL}`)],
  ])('it and the command line find %s', async (_, name, change) => {
    const { alone, own } = await verifyChanged(name, change);
    expect(alone).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('SOMETHING DOES NOT AGREE') });
    expect(own).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('SOMETHING DOES NOT AGREE') });
  });

  test('another public value makes another order', async () => {
    const { alone } = await verifyChanged('about.json', edit(/"value": "4 8 15"/, '"value": "16 23 42"'));
    const orderIn = (stdout: string) => stdout.split('\n').filter(line => line.includes('. entry '));
    expect(orderIn(alone.stdout)).not.toEqual(orderIn((await verifyDrawAlone(folder)).stdout));
  });

  test('the facts of an export are those of Postgres, and it has nothing that names a buyer', async () => {
    const about = await aboutOf(folder);
    expect(about).toMatchObject({
      saleId,
      entries: COUNT,
      lateEntries: 1,
      chunkEntries: FULL,
      value: '4 8 15',
      isSubstitute: false,
    });
    const salts = (await readDraw(t.db, saleId))?.saltKey.toString('hex') ?? '-';
    expect(JSON.stringify(about)).not.toContain(salts);
    const late = JSON.parse(await readFile(join(folder, 'late.json'), 'utf8')) as { entries: string[] };
    expect(late.entries).toHaveLength(1);
    expect(
      (await readFile(join(folder, 'entries/0'))).length + (await readFile(join(folder, 'entries/1'))).length,
    ).toBe(40 * COUNT);
  });
});

test.each(vectors.lists)('the independent verifier agrees with the vectors of $count entries', async list => {
  const at = join(home, `vectors-${list.count}`);
  await mkdir(join(at, 'entries'), { recursive: true });
  const builder = new ListBuilder(fromHex(vectors.saltKey), (number, chunk) =>
    writeFile(join(at, 'entries', `${number}`), chunk),
  );
  await builder.add(entriesOf(list.count));
  await builder.end();
  const { seed, commitment, value } = vectors;
  const about = { commitment, entries: list.count, root: list.root, seed, value };
  await writeFile(join(at, 'about.json'), JSON.stringify(about));
  const { exitCode, stdout } = await verifyDrawAlone(at, '--first', '5');
  const numbers = [...stdout.matchAll(/^ {2}\d+\. entry (\d+) /gm)].map(([, number]) => Number(number));
  expect({ exitCode, numbers }).toEqual({ exitCode: 0, numbers: list.firstOfOrder });
});
