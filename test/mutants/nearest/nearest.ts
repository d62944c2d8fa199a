import { basename, parse } from 'node:path';
import { TESTS_OF_MINUTES } from '../../../bin/long-tests.mjs';
import type { Range } from '../operators/tokens.js';
import { type Area, targetOf } from '../targets.js';
import { fileId, functionsOf } from './functions.js';
import type { ImportGraph } from './import-graph.js';
import { blocksOf } from './lua-blocks.js';
import type { Reach } from './reach.js';

/** A mutant meets this many files of unit tests at most. */
const UNITS_MAX = 8;
/** A test that imports a file through more files than this is as far from it as one that only starts its process. */
const IMPORTS_MAX = 4;
/** The other tests take at most this many ms together, but for the first one, which is always met. */
const TOGETHER_MAX_MS: Record<Area, number> = { 'money and scripts': 30_000, 'the rest': 15_000 };
/** The time of a file of tests that no full run has met yet, in ms. */
const UNKNOWN_MS = 5_000;

/** The kinds of tests from the nearest to the furthest. Those that judge other things than the product are left out. */
const KINDS = ['unit', 'integration', 'edge', 'attack', 'stores', 'e2e', 'browser', 'chaos'];
/** These read the texts of the sources, and so they fail for any change or for none. */
const HOUSE = 'test/unit/house/';
/** This one runs mutants itself, and would meet itself in them. */
const OWN = 'test/e2e/programs/mutants.test.ts';
/** The tests of the tables, the nearest first: all others with a database reach them as well. */
const OF_TABLES = ['tables/', 'money/tables', 'money/', 'payments/', 'jobs/'].map(
  folder => `test/integration/${folder}`,
);
/** The tests of nginx, the nearest first: those in front of servers that only record are quick, and notice most. */
const OF_NGINX = [
  'passing-on',
  'failing-apis',
  'refusals',
  'caches',
  'draws',
  'headers',
  'limits',
  'slow-clients',
  'front-door',
].map(name => `test/edge/${name}.test.ts`);
const OF_MINUTES = new RegExp(TESTS_OF_MINUTES.join('|'));

/** Returns the kind of a file of tests: the folder under test/. */
export const kindOf = (test: string): string => test.split('/')[1] ?? '';

/** The sources, and which tests reach them. */
export interface Ground {
  /** The texts of all files, by their paths. */
  texts: ReadonlyMap<string, string>;
  graph: ImportGraph;
  reach: Reach;
}

/** The tests that a mutant meets. */
export interface NearTests {
  /** The files, the nearest first. */
  tests: string[];
  /** The marks of the tests in each file that do not run, as they don't reach the mutant. */
  leftOut: Record<string, string[]>;
}

/** Finds the files of tests that a mutant meets, the nearest first. */
export class NearestTests {
  readonly #ground: Ground;
  /** All files of tests that a mutant may meet. */
  readonly tests: readonly string[];
  readonly #spots = new Map<string, readonly (Range & { id: string })[]>();
  readonly #names = new Map<string, string[]>();
  readonly #near = new Map<string, NearTests>();

  constructor(ground: Ground) {
    this.#ground = ground;
    this.tests = [...ground.texts.keys()].filter(
      path =>
        path.endsWith('.test.ts') &&
        KINDS.includes(kindOf(path)) &&
        !path.startsWith(HOUSE) &&
        path !== OWN &&
        !OF_MINUTES.test(path),
    );
  }

  /**
   * Returns the files of tests for a piece of a file: those that reach its function, or else those that load the file.
   *
   * @param offset where the piece begins
   */
  of(file: string, offset: number): NearTests {
    const ids = this.#idsAt(file, offset);
    const key = [file, ...ids].join(' ');
    const near = this.#near.get(key) ?? this.#of(file, ids);
    this.#near.set(key, near);
    return near;
  }

  #of(file: string, ids: readonly string[]): NearTests {
    const reaching = this.#reaching(file, ids);
    const added = this.tests.filter(test => !this.#ground.reach.has(test) && this.#distance(test, file) <= 2);
    // All of the tests of nginx, as no measurement says which of them reach what.
    const maxMs = file.endsWith('.conf')
      ? Number.POSITIVE_INFINITY
      : TOGETHER_MAX_MS[targetOf(file)?.area ?? 'the rest'];
    const tests = this.#capped([...new Set([...reaching, ...added])], ids, maxMs);
    return { tests, leftOut: Object.fromEntries(tests.map(test => [test, this.#leftOut(test, ids)])) };
  }

  #reaching(file: string, ids: readonly string[]): string[] {
    if (file.endsWith('.conf')) return OF_NGINX.filter(test => this.tests.includes(test));
    if (file.endsWith('.sql')) {
      const nearness = (test: string) => OF_TABLES.findIndex(folder => test.startsWith(folder));
      const near = this.tests.filter(test => nearness(test) >= 0);
      return near.toSorted((a, b) => nearness(a) - nearness(b) || this.#cost(a, file, ids) - this.#cost(b, file, ids));
    }
    if (ids.length > 0) {
      const tests = this.tests.filter(test => this.#reaches(test, ids));
      return tests.toSorted((a, b) => this.#cost(a, file, ids) - this.#cost(b, file, ids));
    }
    const loading = this.tests.filter(test => Number.isFinite(this.#distance(test, file)));
    return loading.toSorted(
      (a, b) =>
        this.#distance(a, file) - this.#distance(b, file) || this.#cost(a, file, ids) - this.#cost(b, file, ids),
    );
  }

  #reaches(test: string, ids: readonly string[]): boolean {
    const spots = this.#ground.reach.get(test)?.spots;
    return ids.some(id => spots?.has(id));
  }

  /**
   * Lists the id of the spot that is run with an offset: the innermost function or block of Lua that any test reaches, or else the file.
   * The list is empty if no test reaches any.
   */
  #idsAt(file: string, offset: number): string[] {
    if (/\.(conf|sql)$/.test(file)) return [];
    const ids = [...this.#idsAround(file, offset), fileId(file)];
    return ids.filter(id => this.tests.some(test => this.#reaches(test, [id]))).slice(0, 1);
  }

  /** Lists the ids of the functions or blocks around an offset, from the inside out. */
  #idsAround(file: string, offset: number): string[] {
    const text = this.#ground.texts.get(file) ?? '';
    const listed = file.endsWith('.lua') ? blocksOf : functionsOf;
    const spots = this.#spots.get(file) ?? listed(file, text);
    this.#spots.set(file, spots);
    const around = spots.filter(({ start, end }) => start <= offset && offset < end);
    return around.map(({ id }) => id).toReversed();
  }

  /** Lists the tests of a file that reach none of some spots. Without spots, each test may notice the mutant. */
  #leftOut(test: string, ids: readonly string[]): string[] {
    if (ids.length === 0 || !this.#reaches(test, ids)) return [];
    const tests = [...(this.#ground.reach.get(test)?.tests ?? [])];
    return tests.filter(([, { spots }]) => !ids.some(id => spots.has(id))).map(([mark]) => mark);
  }

  #distance(test: string, file: string): number {
    return this.#ground.graph.distancesFrom(test).get(file) ?? Number.POSITIVE_INFINITY;
  }

  /** How long a file of tests takes without those that are left out, in ms. */
  #msOf(test: string, ids: readonly string[]): number {
    const reached = this.#ground.reach.get(test);
    if (!reached) return UNKNOWN_MS;
    return this.#leftOut(test, ids).reduce((ms, mark) => ms - (reached.tests.get(mark)?.ms ?? 0), reached.ms);
  }

  /**
   * A quick file with many tests that reach little is the nearest: it is there for what it reaches. Those of its tests that reach the
   * same number of functions count once, as all do what the file does outside of them. A file that imports the mutant's is nearer than
   * one that reaches it through others, most of all for what a file does when it is loaded. One with the same name is the nearest.
   */
  #cost(test: string, file: string, ids: readonly string[]): number {
    const { spots, tests } = this.#ground.reach.get(test) ?? { spots: new Set(), tests: new Map() };
    const reaching = [...tests.values()].filter(one => ids.some(id => one.spots.has(id)));
    const sizes = new Set(reaching.length > 0 ? reaching.map(one => one.spots.size) : [spots.size]);
    const worth = [...sizes].reduce((sum, size) => sum + 1 / (1 + size) ** 2, 0);
    const imports = this.#namesOf(file).includes(basename(test, '.test.ts'))
      ? 0
      : Math.min(this.#distance(test, file), IMPORTS_MAX);
    return KINDS.indexOf(kindOf(test)) * 1e18 + (this.#msOf(test, ids) / worth) * 4 ** imports;
  }

  /** Lists the names that tests of a file may have: its own, and for a part of Redis scripts those of the scripts. */
  #namesOf(file: string): string[] {
    const { name } = parse(file);
    const known = this.#names.get(file);
    if (known) return known;
    const included = file.split('/include/')[1] ?? file;
    const scripts = [...this.#ground.texts].filter(
      ([path, text]) => path.endsWith('.lua') && text.includes(`-- @include ${included.replace('.lua', '')}\n`),
    );
    const names = [name, ...scripts.map(([path]) => parse(path).name)];
    this.#names.set(file, names);
    return names;
  }

  #capped(tests: string[], ids: readonly string[], maxMs: number): string[] {
    const units = tests.filter(test => kindOf(test) === 'unit');
    const others = KINDS.slice(1).flatMap(kind => tests.filter(test => kindOf(test) === kind));
    let togetherMs = 0;
    const met = others.filter(test => {
      const ms = this.#msOf(test, ids);
      const isMet = togetherMs === 0 || togetherMs + ms <= maxMs;
      if (isMet) togetherMs += ms;
      return isMet;
    });
    return [...units.slice(0, UNITS_MAX), ...met];
  }
}
