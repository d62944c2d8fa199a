import { readOptions } from './options.js';
import { exitCodeOf, missedBy } from './result.js';
import { runChaos } from './run.js';

// `npm run chaos`: one run, and its result as JSON. The exit code is 1 after a violation or a missed goal.

/** This many violations are printed. The folder of the run has all of them. */
const LISTED_MAX = 20;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

try {
  const options = readOptions(process.argv.slice(2));
  // The command comes first, so that a run that breaks off can be repeated, too.
  tell(
    `npm run chaos -- --minutes ${options.minutes} --seed ${options.seed} --rate ${options.rate}${options.cluster ? ' --cluster' : ''} --opening ${options.opening}`,
  );
  const { result, folder } = await runChaos(options, tell);
  const { violations } = result;
  for (const violation of violations.slice(0, LISTED_MAX)) tell(violation);
  if (violations.length > 0) {
    tell(`${violations.length} violations. The history is in ${folder}; the command above repeats the run`);
  }
  for (const what of missedBy(result)) tell(what);
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`);
  process.exit(exitCodeOf(result));
} catch (error) {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
