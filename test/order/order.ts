import { Random } from '../chaos/workload/random.js';

/** The results of one run of jest, by file. */
export interface OrderReport {
  testResults: {
    name: string;
    /** Says why a file could not be run at all. */
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** A test, and its file. */
export interface FoundTest {
  file: string;
  fullName: string;
}

/**
 * Chooses files of tests.
 *
 * @param count as many as this; all if not given
 */
export function chooseFiles(files: readonly string[], seed: number, count?: number): string[] {
  const sorted = [...files].sort();
  return count === undefined ? sorted : new Random(seed).shuffle(sorted).slice(0, count);
}

/** Returns the tests that a run came to, passed or failed. */
export function testsOf({ testResults }: OrderReport): FoundTest[] {
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ fullName }) => ({ file, fullName })),
  );
}

/**
 * Divides tests into rounds. A round has one test of each file at most, so that each test of a round runs alone in its file.
 *
 * @param perFile the most tests of a file; all if not given
 */
export function roundsOf(tests: readonly FoundTest[], perFile = Number.POSITIVE_INFINITY): FoundTest[][] {
  const rounds: FoundTest[][] = [];
  const seen = new Map<string, Set<string>>();
  for (const test of tests) {
    const names = seen.get(test.file) ?? new Set();
    seen.set(test.file, names);
    if (names.has(test.fullName) || names.size >= perFile) continue;
    const round = rounds[names.size] ?? [];
    rounds[names.size] = [...round, test];
    names.add(test.fullName);
  }
  return rounds;
}

/** Returns the pattern for jest's `-t` that fits exactly these tests. */
export function patternOf(tests: readonly FoundTest[]): string {
  const names = tests.map(({ fullName }) => fullName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `^(?:${names.join('|')})$`;
}

/**
 * Returns the failed tests of a run, and the files that could not be run, in words.
 *
 * @param how the order of the tests, in words
 */
export function failuresOf({ testResults }: OrderReport, how: string): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    if (assertionResults.length === 0) return [`${how}: ${name}: ${message}`];
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    return failed.map(({ fullName }) => `${how}: ${name}: ${fullName}`);
  });
}
