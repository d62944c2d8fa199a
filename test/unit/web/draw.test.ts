import { describe, expect, test } from '@jest/globals';
import { Chunk, Directory, ListBuilder } from '#core/draw/list.js';
import { commitmentTo, keyOf, lotOf, publishedEntry, saltOf } from '#core/draw/lot.js';
import { CHUNK } from '#core/draw/merkle.js';
import { checkList } from '../../../apps/web/scripts/draw/list.js';
import { partOf, sourceOf } from '../../../apps/web/scripts/draw/part.js';
import { bytesOf, isProven, lotOf as lotInBrowser } from '../../../apps/web/scripts/draw/proof.js';
import { texts } from '../../../apps/web/scripts/texts.js';

// The page checks a draw by code of its own: it must come to the results of core/draw.

const SALT_KEY = Buffer.alloc(32, 7);
const SEED = Buffer.alloc(32, 9);
const VALUE = '4 8 15';

/** Makes a draw of buyers who have every second number, with the proof of one of them. */
async function drawOf(count: number) {
  const parts: Buffer[] = [];
  const builder = new ListBuilder(SALT_KEY, async (_, part) => void parts.push(part));
  const entries = Array.from({ length: count }, (_, i) => ({ number: 2 * i + 1, buyerId: `buyer-${i}` }));
  await builder.add(entries);
  const { root, directory } = await builder.end();
  const facts = {
    commitment: commitmentTo(SEED).toString('hex'),
    entries: count,
    chunkEntries: CHUNK,
    root: root.toString('hex'),
    seed: SEED.toString('hex'),
    value: VALUE,
  };
  const proofOf = (i: number) => {
    const known = new Directory(directory);
    const at = known.chunkOf(2 * i + 1) ?? 0;
    const proof = known.prove(2 * i + 1, new Chunk(parts[at] ?? Buffer.alloc(0)), count);
    if (!proof) throw new Error(`entry ${i} is in the list`);
    const { entry, path, ...place } = proof;
    const hex = { published: entry.toString('hex'), path: path.map(hash => hash.toString('hex')) };
    return {
      buyerId: `buyer-${i}`,
      entry: 2 * i + 1,
      salt: saltOf(SALT_KEY, `buyer-${i}`).toString('hex'),
      ...hex,
      ...place,
    };
  };
  const key = keyOf({ seed: SEED, root, value: VALUE });
  const lots = entries.map(entry => lotOf(key, publishedEntry(SALT_KEY, entry).subarray(8)));
  const rankOf = (i: number) => lots.filter(lot => lot < (lots[i] ?? 0)).length + 1;
  return {
    parts,
    facts,
    proofOf,
    key,
    lots,
    rankOf,
    load: async (number: number) => new Uint8Array(parts[number] ?? []),
  };
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3];

describe.each(SIZES)('of a draw with %i entries', count => {
  test('the browser accepts the proofs of core/draw, and no altered ones', async () => {
    const { facts, proofOf } = await drawOf(count);
    for (const i of new Set([0, 1, CHUNK - 1, CHUNK, count - 1].filter(one => one < count))) {
      const proof = proofOf(i);
      const altered = [
        { ...proof, buyerId: 'another' },
        { ...proof, entry: proof.entry + 1 },
        { ...proof, salt: proofOf(i === 0 ? count - 1 : 0).salt },
        { ...proof, index: count },
        { ...proof, index: -1 },
        { ...proof, published: proof.published.replace(/.$/, last => (last === '0' ? '1' : '0')) },
        { ...proof, published: '' },
        { ...proof, path: [...proof.path, '00'.repeat(32)] },
        ...(proof.path.length > 0
          ? [
              { ...proof, path: proof.path.slice(1) },
              { ...proof, path: ['zz'] },
            ]
          : []),
      ];
      expect([i, await isProven(proof, facts.root)]).toEqual([i, true]);
      const accepted = await Promise.all(altered.map(one => isProven(one, facts.root)));
      const ownSalt = count === 1 ? [2] : [];
      expect(accepted.flatMap((is, at) => (is ? [at] : []))).toEqual(ownSalt);
      expect(await isProven(proof, facts.commitment)).toBe(false);
      expect(await isProven(proof, undefined)).toBe(false);
    }
  });

  test('the browser finds the lots and the order of core/draw', async () => {
    const { facts, parts, proofOf, key, lots, rankOf, load } = await drawOf(count);
    const last = count - 1;
    const entry = Buffer.concat(parts).subarray(40 * last);
    expect(await lotInBrowser(key, entry)).toBe(lots[last]);
    const seen: number[] = [];
    const own = proofOf(last).published;
    const verdict = await checkList(facts, load, { own, onPart: checked => seen.push(checked) });
    expect(verdict).toEqual({ entries: count, rank: rankOf(last) });
    expect(seen).toEqual(parts.map((_, i) => Math.min(count, (i + 1) * CHUNK)));
    expect(await checkList(facts, load)).toEqual({ entries: count });
  });
});

describe('a whole list', () => {
  test('of nobody is checked as well', async () => {
    const { facts, load } = await drawOf(0);
    expect(await checkList(facts, load)).toEqual({ entries: 0 });
  });

  test('with one entry changed, added, dropped or moved is found', async () => {
    const { facts, parts, load } = await drawOf(CHUNK + 5);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = parts;
    const serve = (...served: Uint8Array[]) => checkList(facts, async number => new Uint8Array(served[number] ?? []));
    const changed = Buffer.from(first);
    changed[100] = (changed[100] ?? 0) ^ 1;
    const twice = Buffer.concat([second.subarray(0, 40), second.subarray(0, 160)]);
    expect(await serve(changed, second)).toMatchObject({ fault: 'root' });
    expect(await serve(first, Buffer.concat([second, second]))).toMatchObject({ fault: 'entries' });
    expect(await serve(first, second.subarray(40))).toMatchObject({ fault: 'entries' });
    expect(await serve(first, second.subarray(1))).toMatchObject({ fault: 'entries' });
    expect(await serve(first)).toMatchObject({ fault: 'entries' });
    expect(await serve(first, twice)).toMatchObject({ fault: 'numbers' });
    const fewer = { ...facts, entries: CHUNK + 4 };
    expect(await checkList(fewer, load)).toMatchObject({ fault: 'entries' });
  });

  test('without the own entry, or with another seed, is found', async () => {
    const { facts, load } = await drawOf(9);
    expect(await checkList(facts, load, { own: '00'.repeat(40) })).toMatchObject({ fault: 'own' });
    expect(await checkList({ ...facts, seed: '00'.repeat(32) }, load)).toMatchObject({ fault: 'seed' });
    expect(await checkList({ ...facts, commitment: '' }, load)).toMatchObject({ fault: 'seed' });
  });

  test('is checked before the seed is published, and has no order then', async () => {
    const { facts, load, proofOf } = await drawOf(9);
    const { seed: _, value: __, ...early } = facts;
    expect(await checkList(early, load, { own: proofOf(3).published })).toEqual({ entries: 9 });
  });
});

test('only hexadecimal digits are bytes', () => {
  expect([...bytesOf('00ff10')]).toEqual([0, 255, 16]);
  for (const wrong of ['0', 'zz', '0x', ' 00', undefined, 7]) expect(bytesOf(wrong)).toHaveLength(0);
});

describe('the part "Check this draw"', () => {
  const sale = { opening: 'draw' } as Parameters<typeof partOf>[0];
  const facts = { commitment: '00' };
  const closed = { ...facts, root: '11', entries: 2, chunkEntries: CHUNK };
  const { draw } = texts;

  test('is not there for a rush, and before the facts are known', () => {
    expect(partOf({ ...sale, opening: 'rush' } as typeof sale, { facts })).toBeUndefined();
    expect(partOf(undefined, { facts })).toBeUndefined();
    expect(partOf(sale, {})).toBeUndefined();
  });

  test('says which kind of draw it is', () => {
    const kindOf = (more: object) => partOf(sale, { facts: { ...facts, ...more } })?.kind;
    expect(kindOf({})).toBe(draw.commitmentOnly);
    expect(kindOf({ valueSource: 'the lottery' })).toBe(draw.withValue('the lottery'));
    expect(kindOf({ beaconRound: 7 })).toBe(draw.withValue(draw.beacon(7, undefined)));
    const known = { valueSource: 'the lottery', valueSubstitute: 'the other', value: '1 2', isSubstitute: false };
    expect(kindOf(known)).toBe(draw.withValueKnown('the lottery', '1 2'));
    expect(kindOf({ ...known, isSubstitute: true })).toBe(draw.withValueKnown('the other', '1 2'));
    expect([sourceOf(facts), sourceOf(undefined)]).toEqual([undefined, undefined]);
    // A draw without a public value has the empty one.
    expect(kindOf({ value: '', isSubstitute: false })).toBe(draw.commitmentOnly);
  });

  test('says how many entries the list lacks because they came late', () => {
    const kindOf = (lateEntries: number) => partOf(sale, { facts: { ...closed, lateEntries } })?.kind;
    expect([0, 1, 7].map(kindOf)).toEqual(
      ['', draw.late(1), draw.late(7)].map(late => `${draw.commitmentOnly} ${late}`.trim()),
    );
    expect(draw.late(7)).toContain('Late entries: 7.');
  });

  test('offers the whole list once it is closed', () => {
    expect(partOf(sale, { facts })).toMatchObject({ own: draw.notClosed, whole: '', button: undefined });
    const button = (checked: object) => partOf(sale, { facts: closed, ...checked })?.button;
    expect(button({})).toEqual({ label: draw.checkWhole, isBusy: false });
    expect(button({ counted: 1 })).toEqual({ label: draw.checking, isBusy: true });
  });

  test('says what was found', () => {
    const see = (checked: object) => partOf(sale, { facts: closed, ...checked });
    expect(see({})).toMatchObject({ own: '', whole: '', isWrong: false });
    expect(see({ own: 'proven', entry: 5 })).toMatchObject({ own: draw.own.proven(5), isWrong: false });
    expect(see({ own: 'wrong', entry: 5 })).toMatchObject({ own: draw.own.wrong(), isWrong: true });
    expect(see({ own: 'no_entry' })).toMatchObject({ own: draw.own.no_entry(), isWrong: false });
    expect(see({ counted: 1 })?.whole).toBe(draw.counted(1, 2));
    expect(see({ failed: true })?.whole).toBe(draw.failed);
    expect(see({ verdict: { fault: 'root', entries: 2 } })).toMatchObject({ whole: draw.faults.root, isWrong: true });
    expect(see({ verdict: { entries: 2 } })?.whole).toBe(`${draw.whole(2)} ${draw.noSeed}`);
    const decided = { facts: { ...closed, seed: '22' }, verdict: { entries: 2, rank: 1 } };
    expect(partOf(sale, decided)?.whole).toBe(`${draw.whole(2)} ${draw.rank(1, 2)}`);
  });
});
