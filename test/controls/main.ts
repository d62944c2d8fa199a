import startSharedPostgres, { stopSharedPostgres } from '../support/stores/start-shared-postgres.mjs';
import { BUGS } from './bugs.js';
import { writeTable } from './run/table.js';
import { type ControlResult, exitCodeOf, isCaught, isWrong, tryBugs } from './run/try-bugs.js';

// `npm run controls` makes each bug in a copy of the sources, and demands that the test for it fails. A test that can't fail proves
// nothing, and neither does one that always fails. So each test has to pass without the bug first. Each test is run alone, and with its
// whole file. With arguments, only the bugs with one of these words in their name are made.

const words = process.argv.slice(2);
const wanted = BUGS.filter(({ bug }) => words.length === 0 || words.some(word => bug.includes(word)));

/** One word for the end of a control. An error is one of the control itself: nothing is known about the test. */
function endOf(result: ControlResult): string {
  if (isCaught(result)) return 'caught';
  return isWrong(result) ? 'ERROR ' : 'MISSED';
}

function tell(result: ControlResult): void {
  const { bug, alone, whole } = result;
  const times = [alone, whole].map(({ seconds }) => `${seconds.toFixed(1).padStart(5)} s`).join('');
  const said = alone.said === whole.said ? alone.said : `alone: ${alone.said}; with its file: ${whole.said}`;
  process.stdout.write(`${endOf(result)}${times}  ${bug}: ${said}\n`);
}

async function runWanted(): Promise<ControlResult[]> {
  if (wanted.length === 0) throw new Error(`no bug has one of these words in its name: ${words.join(' ')}`);
  await startSharedPostgres();
  try {
    return await tryBugs(wanted, { sharedPostgres: process.env.SHARED_POSTGRES, tell });
  } finally {
    await stopSharedPostgres();
  }
}

try {
  const results = await runWanted();
  await writeTable(BUGS, results);
  process.stdout.write(`${results.filter(isCaught).length} of ${results.length} caught\n`);
  process.exitCode = exitCodeOf(results);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
