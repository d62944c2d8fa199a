import { describe, expect, test } from '@jest/globals';
import { parseDiff } from '../../mutants/changed.js';
import { type Candidate, createMutants, fullRunOf, sampleOf } from '../../mutants/choose.js';
import { readOptions } from '../../mutants/options.js';
import { pieceOf } from '../../mutants/piece.js';
import { targetOf } from '../../mutants/targets.js';

function candidatesOf(file: string, count: number): Candidate[] {
  const target = targetOf(file);
  if (!target) throw new Error(`${file} belongs to no part`);
  return Array.from({ length: count }, (_, index) => {
    const text = `a${index}`;
    const mutant = { file, operator: 'gone', start: 0, end: text.length, replacement: '' };
    return { mutant, target, piece: pieceOf(mutant, text) };
  });
}

const money = candidatesOf('core/rules/refund.ts', 30);
const redis = candidatesOf('core/redis/feed/feed.ts', 60);
const nginx = candidatesOf('nginx/nginx.conf', 10);
const all = [...money, ...redis, ...nginx];
const countIn = (chosen: Candidate[], part: Candidate[]) => chosen.filter(one => part.includes(one)).length;

describe('the choice of mutants', () => {
  test('a sample gives each part its share', () => {
    const chosen = sampleOf(all, 20, '1');
    expect([money, redis, nginx].map(part => countIn(chosen, part))).toEqual([6, 12, 2]);
    expect(sampleOf(all, 7, '1')).toHaveLength(7);
    expect(sampleOf(all, 1_000, '1')).toHaveLength(100);
  });

  test('a seed repeats its sample, and another seed takes another one', () => {
    expect(sampleOf(all, 20, '1')).toEqual(sampleOf(all, 20, '1'));
    expect(sampleOf(all, 20, '2')).not.toEqual(sampleOf(all, 20, '1'));
  });

  test('a sample keeps nearly all of its mutants when other ones come', () => {
    const before = sampleOf(redis, 20, '1');
    const after = sampleOf([...redis, ...candidatesOf('core/redis/keys.ts', 3)], 20, '1');
    expect(countIn(after, before)).toBeGreaterThanOrEqual(17);
  });

  test('a full run takes all of money and scripts', () => {
    const many = candidatesOf('core/redis/feed/feed.ts', 1_000);
    const chosen = fullRunOf([...money, ...many], '1');
    expect(countIn(chosen, money)).toBe(30);
    expect(countIn(chosen, many)).toBe(640);
  });

  test('lines that a diff adds are found, and those that it only removes are not', () => {
    const diff = [
      '--- a/core/a.ts',
      '+++ b/core/a.ts',
      '@@ -3 +3,2 @@ function a() {',
      '-old',
      '+one',
      '+two',
      '@@ -9,2 +10,0 @@',
      '-gone',
      '--- a/core/b.ts',
      '+++ b/core/b.ts',
      '@@ -1 +1 @@',
      '+one',
    ];
    const lines = parseDiff(diff.join('\n'));
    expect([...lines].map(([file, numbers]) => [file, [...numbers]])).toEqual([
      ['core/a.ts', [3, 4]],
      ['core/b.ts', [1]],
    ]);
  });
});

describe('the options of mutants', () => {
  test('a sample, a seed and a shard are read', () => {
    expect(readOptions(['--sample', '60', '--seed', 'x', '--shard', '2/3', '--at', '3', '--json'])).toEqual({
      sample: 60,
      seed: 'x',
      shard: { index: 2, of: 3 },
      at: 3,
      json: true,
      reach: false,
      report: false,
    });
  });

  test('changed takes HEAD if no revision follows', () => {
    expect(readOptions(['--changed'])).toMatchObject({ changed: 'HEAD' });
    expect(readOptions(['--changed', '--json'])).toMatchObject({ changed: 'HEAD', json: true });
    expect(readOptions(['--changed', 'main~3'])).toMatchObject({ changed: 'main~3' });
  });

  test.each([
    ['--sample', '0'],
    ['--at', 'many'],
    ['--shard', '3/2'],
    ['--shard', '0/2'],
  ])('%s %s is refused', (...args) => {
    expect(() => readOptions(args)).toThrow(args[0]);
  });
});

describe('the mutants of TypeScript', () => {
  const textsOf = async (...lines: string[]) => {
    const text = lines.join('\n');
    const made = await createMutants(new Map([['core/rules/refund.ts', text]]));
    return made.map(({ mutant: { start, end, replacement } }) => text.slice(0, start) + replacement + text.slice(end));
  };

  test('change one piece of the text', async () => {
    expect(await textsOf('const a = b > 1;')).toEqual([
      'const a = true;',
      'const a = false;',
      'const a = (b >= 1);',
      'const a = (b <= 1);',
    ]);
  });

  test('keep their operands together', async () => {
    expect(await textsOf('const a = b && c && d;')).toContain('const a = (b || c) && d;');
  });

  test('leave out what no test holds: the log, printed lines, and texts of errors', async () => {
    expect(await textsOf("log.warn({ a: 1 }, 'late');")).toEqual([]);
    expect(await textsOf("ctx.log.info('late');")).toEqual([]);
    expect(await textsOf("process.stdout.write('done');")).toEqual([]);
    expect(await textsOf("throw new RangeError('too large');")).toEqual([]);
    expect(await textsOf("const a = { help: 'late' };")).toEqual(['const a = {};']);
  });

  test('leave the whole of an SQL template to the operators of SQL, but not the values in it', async () => {
    const made = await textsOf(['const a = Prisma.sql`SELECT $', '{b > 1}`;'].join(''));
    expect(made).not.toContain('const a = Prisma.sql``;');
    expect(made.some(text => text.includes('{true}'))).toBe(true);
  });
});
