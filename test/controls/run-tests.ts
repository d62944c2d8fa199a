import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Control } from './bug.js';

/** A test that hangs because of a bug doesn't count as one that catches it, in ms. */
const RUN_LIMIT_MS = 60_000;

interface JestReport {
  testResults: { assertionResults: TestResult[] }[];
}

/** The result of one test, as jest reports it. */
export interface TestResult {
  fullName: string;
  status: string;
  failureMessages: string[];
}

/**
 * Runs the tests of one file whose titles begin in one of the given ways.
 *
 * @param folder a copy of the sources
 * @param titles the beginnings
 * @returns the results of the tests that ran
 */
export async function runTests(
  folder: string,
  { kind, file }: Pick<Control, 'kind' | 'file'>,
  titles: string[],
): Promise<TestResult[]> {
  const output = join(folder, 'report.json');
  await writeFile(output, '{"testResults":[]}');
  const path = join('test', kind, `${file}.test.ts`);
  const pattern = titles.map(title => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const jest = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--experimental-vm-modules',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      ...['--selectProjects', kind, '--runTestsByPath', path, '-t', pattern, '--json', '--outputFile', output],
    ],
    { cwd: folder, stdio: 'ignore', timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL' },
  );
  await once(jest, 'close');
  const report = JSON.parse(await readFile(output, 'utf8')) as JestReport;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.filter(({ status }) => status === 'passed' || status === 'failed');
}
