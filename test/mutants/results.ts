import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import type { Mutant } from './mutant.js';
import type { Outcome } from './runs/trial.js';

/** Each run appends to a file of its own shard, so that the files of several machines can be put together. */
const FOLDER = join(checkout, '.data', 'mutants');

/** A mutant, and the texts that its result depends on. */
export interface Tried {
  mutant: Mutant;
  /** The text of its file. */
  text: string;
  /** The files of tests that it meets. */
  tests: readonly string[];
}

interface Line {
  mutant: string;
  /** The texts that the result depends on. */
  tests: string;
  outcome: Outcome;
}

const hashOf = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);

/** The results of this run and of earlier ones, each as long as the texts are the same that it depends on. */
export class Results {
  readonly #known = new Map<string, Line>();
  readonly #texts: ReadonlyMap<string, string>;
  readonly #file: string;

  /**
   * @param texts the texts of all files, by their paths
   * @param shard the name of this part of the run
   */
  constructor(texts: ReadonlyMap<string, string>, shard: string) {
    this.#texts = texts;
    this.#file = join(FOLDER, `${shard}.jsonl`);
  }

  /** Reads what earlier runs have found, on this machine or on others whose files were copied here. */
  async read(): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    const files = (await readdir(FOLDER)).filter(name => name.endsWith('.jsonl')).sort();
    for (const name of files) {
      const lines = (await readFile(join(FOLDER, name), 'utf8')).split('\n');
      for (const line of lines.flatMap(parseLine)) this.#known.set(line.mutant, line);
    }
  }

  /** Returns the result of a mutant, unless it was never tried or something has changed that it depends on. */
  find(tried: Tried): Outcome | undefined {
    const line = this.#known.get(keyOf(tried));
    if (!line) return undefined;
    return line.tests === this.#testsOf(tried, line.outcome) ? line.outcome : undefined;
  }

  /** Writes the result of a mutant. */
  async add(tried: Tried, outcome: Outcome): Promise<void> {
    const line: Line = { mutant: keyOf(tried), tests: this.#testsOf(tried, outcome), outcome };
    this.#known.set(line.mutant, line);
    await appendFile(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** A mutant that was caught depends on the test that did it. One that survived depends on all tests that it met. */
  #testsOf({ tests }: Tried, { state, by }: Outcome): string {
    const paths = state === 'caught' && by !== undefined ? [by] : tests;
    return hashOf(...paths.map(path => `${path}\0${this.#texts.get(path) ?? ''}`));
  }
}

const keyOf = ({ mutant, text }: Tried): string =>
  hashOf(mutant.file, text, mutant.operator, `${mutant.start}-${mutant.end}`, mutant.replacement);

/** A run that was killed may have left half a line. */
function parseLine(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line];
  } catch {
    return [];
  }
}
