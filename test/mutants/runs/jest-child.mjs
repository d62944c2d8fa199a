// A process that stays, and runs files of tests as its parent asks: jest is loaded once. Plain JavaScript, as nothing has to be
// compiled first. It runs in a copy of the sources, and ends with its parent.
import { join } from 'node:path';
import { runCLI } from 'jest';
import { beginRun, markOf } from './first-failure.mjs';

const root = process.cwd();
const own = name => join(root, 'test', 'mutants', 'runs', name);

const options = {
  $0: '',
  runTestsByPath: true,
  runInBand: true,
  silent: true,
  reporters: [],
  watchman: false,
  watch: false,
  watchAll: false,
  ci: true,
  env: own('first-failure.mjs'),
  testSequencer: own('given-order.mjs'),
  cacheDirectory: join(root, '.cache'),
};

const failureOf = ({ testExecError, testResults }) => {
  const failed = testResults.find(({ status }) => status === 'failed');
  if (failed) return { title: failed.fullName, message: failed.failureMessages.join('\n') };
  return testExecError ? { title: '', message: String(testExecError.message ?? testExecError) } : undefined;
};

/** Runs files of one kind, up to the first failure. */
async function run({ kind, tests, leftOut, database, testTimeout }) {
  beginRun(leftOut);
  process.env.SHARED_POSTGRES = database;
  const { results } = await runCLI({ ...options, _: tests, selectProjects: [kind], testTimeout }, [root]);
  return results.testResults.map(result => ({
    test: result.testFilePath.slice(root.length + 1),
    ms: result.perfStats.end - result.perfStats.start,
    testsMs: result.testResults.map(({ fullName, duration }) => [markOf(fullName), duration ?? 0]),
    failure: failureOf(result),
  }));
}

process.on('message', async request => {
  try {
    process.send({ results: await run(request) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
