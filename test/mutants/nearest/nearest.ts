import { TESTS_OF_MINUTES } from '../../../bin/long-tests.mjs';
import { fileId, functionsOf, type Spot, spotAt } from './functions.js';
import type { ImportGraph } from './import-graph.js';
import type { Reach } from './reach.js';

/** A mutant meets this many files of unit tests at most, and of other tests. */
const UNITS_MAX = 8;
const OTHERS_MAX = 8;
/** The other tests take at most this many ms together, but for the first one, which is always met. */
const TOGETHER_MAX_MS = 60_000;
/** The time of a file of tests that no full run has met yet, in ms. */
const UNKNOWN_MS = 5_000;

/** The kinds of tests from the nearest to the furthest. Those that judge other things than the product are left out. */
const KINDS = ['unit', 'integration', 'edge', 'attack', 'stores', 'e2e', 'browser', 'chaos'];
/** These read the texts of the sources, and so they fail for any change or for none. */
const HOUSE = 'test/unit/house/';
/** This one runs mutants itself, and would meet itself in them. */
const OWN = 'test/e2e/mutants.test.ts';
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

/** Finds the files of tests that a mutant meets, the nearest first. */
export class NearestTests {
  readonly #ground: Ground;
  /** All files of tests that a mutant may meet. */
  readonly tests: readonly string[];
  readonly #spots = new Map<string, Spot[]>();

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
  of(file: string, offset: number): string[] {
    const reaching = this.#reaching(file, offset);
    const added = this.tests.filter(test => !this.#ground.reach.has(test) && this.#distance(test, file) <= 2);
    return this.#capped([...new Set([...reaching, ...added])]);
  }

  #reaching(file: string, offset: number): string[] {
    if (file.endsWith('.conf')) return this.tests.filter(test => kindOf(test) === 'edge');
    for (const id of this.#idsAt(file, offset)) {
      const tests = this.tests.filter(test => this.#ground.reach.get(test)?.spots.has(id));
      if (tests.length > 0) return tests.toSorted((a, b) => this.#cost(a) - this.#cost(b));
    }
    const loading = this.tests.filter(test => Number.isFinite(this.#distance(test, file)));
    return loading.toSorted(
      (a, b) => this.#distance(a, file) - this.#distance(b, file) || this.#cost(a) - this.#cost(b),
    );
  }

  /** Lists the ids of the spots around an offset, from the inside out; for a part of Lua scripts, those of the scripts. */
  #idsAt(file: string, offset: number): string[] {
    if (file.endsWith('.lua')) {
      const scripts = [...this.#ground.texts.keys()].filter(path => path.endsWith('.lua'));
      return scripts.filter(path => this.#ground.graph.distancesFrom(path).has(file)).map(fileId);
    }
    const spots = this.#spots.get(file) ?? functionsOf(file, this.#ground.texts.get(file) ?? '');
    this.#spots.set(file, spots);
    const ids = [spotAt(spots, offset)?.id ?? '', fileId(file)];
    return ids.filter(id => id !== '');
  }

  #distance(test: string, file: string): number {
    return this.#ground.graph.distancesFrom(test).get(file) ?? Number.POSITIVE_INFINITY;
  }

  /** A quick test that reaches little is the nearest: it is there for what it reaches. */
  #cost(test: string): number {
    const { ms, spots } = this.#ground.reach.get(test) ?? { ms: UNKNOWN_MS, spots: new Set() };
    return KINDS.indexOf(kindOf(test)) * 1e9 + ms * (1 + spots.size);
  }

  #capped(tests: string[]): string[] {
    const units = tests.filter(test => kindOf(test) === 'unit');
    const others = KINDS.slice(1).flatMap(kind => tests.filter(test => kindOf(test) === kind));
    let togetherMs = 0;
    const met = others.slice(0, OTHERS_MAX).filter(test => {
      const ms = this.#ground.reach.get(test)?.ms ?? UNKNOWN_MS;
      const isMet = togetherMs === 0 || togetherMs + ms <= TOGETHER_MAX_MS;
      if (isMet) togetherMs += ms;
      return isMet;
    });
    return [...units.slice(0, UNITS_MAX), ...met];
  }
}
