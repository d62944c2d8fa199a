import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { writePage } from '../../support/pages/written-page.js';

const FILE = join(checkout, 'test', 'mutants', 'nearest', 'reach.json');

/** The functions that a file of tests reaches. */
export interface Reached {
  /** How long the file took, in ms. */
  ms: number;
  /** The ids of the functions that were called, in its own process or in one that it started. */
  spots: ReadonlySet<string>;
}

/** The form in the file. A line for each file of tests, with its time and one bit for each spot. */
interface Written {
  spots: string;
  tests: Record<string, string>;
}

/** Which functions each file of tests reaches. It only orders the tests that a mutant meets, so it may be out of date. */
export type Reach = ReadonlyMap<string, Reached>;

/** Reads what the last full run saw. */
export async function readReach(): Promise<Reach> {
  const text = await readFile(FILE, 'utf8').catch(() => '{"spots":"","tests":{}}');
  return parseReach(JSON.parse(text) as Written);
}

/** Writes what a full run has seen. */
export async function writeReach(reach: Reach): Promise<void> {
  await writePage(FILE, JSON.stringify(formatReach(reach)));
}

function parseReach({ spots, tests }: Written): Reach {
  const ids = spots.split(' ');
  return new Map(
    Object.entries(tests).map(([path, line]) => {
      const [ms = '', bits = ''] = line.split(' ');
      const bytes = Buffer.from(bits, 'base64');
      const hits = ids.filter((_, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1);
      return [path, { ms: Number(ms), spots: new Set(hits) }];
    }),
  );
}

function formatReach(reach: Reach): Written {
  const ids = [...new Set([...reach.values()].flatMap(({ spots }) => [...spots]))].sort();
  const tests = [...reach]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { ms, spots }]) => {
      const bytes = Buffer.alloc(Math.ceil(ids.length / 8));
      for (const [index, id] of ids.entries()) {
        if (spots.has(id)) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
      }
      return [path, `${Math.round(ms)} ${bytes.toString('base64')}`] as const;
    });
  return { spots: ids.join(' '), tests: Object.fromEntries(tests) };
}
