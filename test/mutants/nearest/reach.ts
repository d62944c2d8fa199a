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
  /** The same of each test, by the mark of its name. A test that is not here may reach anything. */
  tests: ReadonlyMap<string, { ms: number; spots: ReadonlySet<string> }>;
}

/**
 * The form in the file. A line for each file of tests has its time and one bit for each spot, and then for each test its mark, its time
 * and one bit for each spot of the file.
 */
interface Written {
  spots: string;
  tests: Record<string, string>;
}

/** Which functions each file of tests reaches, and each test. */
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

/** Parses what `formatReach` has made. */
export function parseReach({ spots, tests }: Written): Reach {
  const ids = spots.split(' ');
  return new Map(
    Object.entries(tests).map(([path, line]) => {
      const [ms = '', bits = '', ...words] = line.split(' ');
      const own = withBits(ids, bits);
      const each = Array.from({ length: words.length / 3 }, (_, index) => words.slice(3 * index, 3 * index + 3));
      const parsed = each.map(
        ([mark = '', testMs = '', testBits = '']) =>
          [mark, { ms: Number(testMs), spots: new Set(withBits(own, testBits)) }] as const,
      );
      return [path, { ms: Number(ms), spots: new Set(own), tests: new Map(parsed) }];
    }),
  );
}

/** Returns the form for the file. */
export function formatReach(reach: Reach): Written {
  const ids = [...new Set([...reach.values()].flatMap(({ spots }) => [...spots]))].sort();
  const lines = [...reach]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { ms, spots, tests }]) => {
      const own = ids.filter(id => spots.has(id));
      const each = [...tests].map(([mark, test]) => `${mark} ${Math.round(test.ms)} ${bitsOf(own, test.spots)}`);
      return [path, [`${Math.round(ms)} ${bitsOf(ids, spots)}`, ...each].join(' ')] as const;
    });
  return { spots: ids.join(' '), tests: Object.fromEntries(lines) };
}

function withBits(ids: readonly string[], bits: string): string[] {
  const bytes = Buffer.from(bits, 'base64');
  return ids.filter((_, index) => ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1);
}

function bitsOf(ids: readonly string[], spots: ReadonlySet<string>): string {
  const bytes = Buffer.alloc(Math.ceil(ids.length / 8));
  for (const [index, id] of ids.entries()) {
    if (spots.has(id)) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return bytes.toString('base64');
}
