import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import type { Mutant } from '../mutant.js';
import type { Outcome } from '../runs/trial.js';
import { scopeOf } from './scope.js';

/** Each run appends to a file of its own shard, so that the files of several machines can be put together. */
const FOLDER = join(checkout, '.data', 'mutants');
/** The results that are committed. */
const KNOWN = join(checkout, 'test', 'mutants', 'results', 'known.txt');

/** A mutant, and the texts that its result depends on. */
export interface Tried {
  mutant: Mutant;
  /** The text of its file. */
  text: string;
  /** The files of tests that it meets. */
  tests: readonly string[];
}

/** A result in a file: `file mutant tests state`, where `mutant` and `tests` are hashes of texts. */
export interface Line {
  mutant: string;
  tests: string;
  state: Outcome['state'];
}

const STATES: readonly Outcome['state'][] = ['caught', 'timed out', 'invalid', 'survived'];

/** 48 bits are enough to tell some 10,000 texts apart. */
const hashOf = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);

/** The results of this run and of earlier ones, each as long as the texts are the same that it depends on. */
export class Results {
  readonly #known = new Map<string, Line[]>();
  readonly #texts: ReadonlyMap<string, string>;
  readonly #file: string;
  /** The hash of each file of tests alone. */
  readonly #alone: ReadonlySet<string>;

  /**
   * @param texts the texts of all files, by their paths
   * @param shard the name of this part of the run
   */
  constructor(texts: ReadonlyMap<string, string>, shard: string) {
    this.#texts = texts;
    this.#file = join(FOLDER, `${shard}.txt`);
    this.#alone = new Set(
      [...texts.keys()].filter(path => path.endsWith('.test.ts')).map(path => this.#hashOf([path])),
    );
  }

  /** Reads what earlier runs have found: the committed results, and those of runs that were not put together yet. */
  async read(): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    const files = (await readdir(FOLDER)).filter(name => name.endsWith('.txt')).map(name => join(FOLDER, name));
    for (const path of [KNOWN, ...files]) this.parse(await readFile(path, 'utf8').catch(() => ''));
  }

  /** Takes the lines of a file of results, in any order. */
  parse(text: string): void {
    for (const line of text.split('\n').flatMap(parseLine)) this.#keep(line);
  }

  /** Returns the result of a mutant, unless it was never tried or something has changed that it depends on. */
  find(tried: Tried): Outcome['state'] | undefined {
    return this.#lineOf(tried)?.state;
  }

  /** Writes the result of a mutant, so that a run that is killed loses none. */
  async add(tried: Tried, outcome: Outcome): Promise<void> {
    await appendFile(this.#file, `${formatLine(tried, this.keep(tried, outcome))}\n`);
  }

  /** Keeps the result of a mutant, and returns its line. */
  keep(tried: Tried, { state, by }: Outcome): Line {
    // A mutant that was caught depends on the test that did it. Any other one depends on all tests that it met.
    const tests = this.#hashOf(state === 'caught' && by !== undefined ? [by] : tried.tests);
    const line = { mutant: keyOf(tried), tests, state };
    this.#keep(line);
    return line;
  }

  /** Formats the results that still hold, sorted, so that a change of one is a change of one line. */
  format(all: readonly Tried[]): string {
    const lines = all.flatMap(tried => {
      const line = this.#lineOf(tried);
      return line ? [`${formatLine(tried, line)}\n`] : [];
    });
    return [...new Set(lines)].sort().join('');
  }

  /**
   * Writes the results that still hold into the file that is committed.
   *
   * @param all all mutants that there are
   */
  async write(all: readonly Tried[]): Promise<void> {
    await writeFile(KNOWN, this.format(all));
  }

  #keep(line: Line): void {
    this.#known.set(line.mutant, [...(this.#known.get(line.mutant) ?? []), line]);
  }

  /** Of several results that hold, one run has caught the mutant, and another had other tests. */
  #lineOf(tried: Tried): Line | undefined {
    const lines = this.#known.get(keyOf(tried)) ?? [];
    const all = this.#hashOf(tried.tests);
    const holding = lines.filter(({ state, tests }) => (state === 'caught' ? this.#alone.has(tests) : tests === all));
    return holding.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))[0];
  }

  #hashOf(tests: readonly string[]): string {
    return hashOf(...tests.toSorted().map(path => `${path}\0${this.#texts.get(path) ?? ''}`));
  }
}

function keyOf({ mutant, text }: Tried): string {
  const scope = scopeOf(mutant, text);
  const { operator, start, end, replacement } = mutant;
  return hashOf(scope.id, scope.text, String(scope.offset), operator, text.slice(start, end), replacement);
}

const formatLine = ({ mutant: { file } }: Tried, { mutant, tests, state }: Line): string =>
  [file, mutant, tests, state].join(' ');

/** A run that was killed may have left half a line. */
function parseLine(line: string): Line[] {
  const [, mutant, tests, word] = /^\S+ (\w{12}) (\w{12}) (.+)$/.exec(line) ?? [];
  const state = STATES.find(one => one === word);
  return mutant === undefined || tests === undefined || state === undefined ? [] : [{ mutant, tests, state }];
}
