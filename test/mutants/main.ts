import { checkout } from '#core/process/checkout.js';
import { readChangedLines } from './changed.js';
import { type Candidate, createMutants, fullRunOf, sampleOf } from './choose.js';
import { MARKS } from './marks.js';
import { ImportGraph } from './nearest/import-graph.js';
import { measureReach } from './nearest/measure-reach.js';
import { NearestTests } from './nearest/nearest.js';
import { type Reach, readReach, writeReach } from './nearest/reach.js';
import { type MutantOptions, readOptions } from './options.js';
import { formatPiece, isMarked } from './piece.js';
import { countUntried, formatJson, type Reported, scoresByArea, writeReport } from './report.js';
import { Results } from './results/results.js';
import { type RunGround, runMutants, triedOf } from './runs/run.js';
import { readSources } from './sources.js';
import { missedBy, percentOf } from './verdict.js';

// `npm run mutants` makes small changes of the product in a copy of the sources, one at a time, and demands that a test fails for
// each. The exit code is 1 when too many survive, or when a test fails without a mutant.

const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** Makes the mutants that a run may take, and those that it takes. */
async function choose(
  texts: ReadonlyMap<string, string>,
  options: MutantOptions,
): Promise<{ made: Candidate[]; chosen: Candidate[] }> {
  const { sample, seed, changed, only, shard } = options;
  const lines = changed === undefined ? undefined : await readChangedLines(changed);
  const files = [...texts].filter(([file]) => file.startsWith(only ?? '') && (!lines || lines.has(file)));
  const made = await createMutants(new Map(files));
  const wanted = made.filter(({ piece: { file, lineNumber } }) => !lines || lines.get(file)?.has(lineNumber));
  const isPart = only !== undefined || changed !== undefined;
  const whole = isPart ? wanted : fullRunOf(wanted, seed);
  const chosen = sample === undefined ? whole : sampleOf(wanted, sample, seed);
  return { made, chosen: chosen.filter((_, index) => index % shard.of === shard.index - 1) };
}

/** Tries the mutants that are not marked as equivalent. */
async function judge(candidates: Candidate[], ground: Omit<RunGround, 'tell'>, at: number) {
  const marks = new Map(candidates.map(one => [one, MARKS.find(mark => isMarked(one.piece, mark))]));
  const open = candidates.filter(one => marks.get(one)?.kind !== 'equivalent');
  const { states, red } = await runMutants(open, { ...ground, tell }, at);
  const reported = candidates.map((candidate): Reported => {
    const mark = marks.get(candidate);
    const state = mark?.kind === 'equivalent' ? mark.kind : (states.get(candidate) ?? 'untried');
    return { target: candidate.target, piece: candidate.piece, state, ...(mark && { mark }) };
  });
  return { reported, red };
}

async function run(options: MutantOptions): Promise<number> {
  const texts = await readSources(checkout);
  const reach = await readReach();
  const nearest = new NearestTests({ texts, graph: new ImportGraph(texts), reach });
  if (options.reach) {
    const tests = nearest.tests.filter(test => test.startsWith(options.only ?? ''));
    const keep = (measured: Reach) =>
      writeReach(new Map([...reach, ...measured].filter(([test]) => nearest.tests.includes(test))));
    await measureReach(tests, texts, { at: options.at, keep, tell });
    return 0;
  }
  const { made, chosen } = await choose(texts, options);
  const { index, of } = options.shard;
  const results = new Results(texts, `${index}-of-${of}`);
  await results.read();
  const { reported, red } = await judge(chosen, { texts, nearest, reach, results }, options.report ? 0 : options.at);
  const { sample, changed, only, seed } = options;
  const isFull = sample === undefined && changed === undefined && only === undefined;
  if (isFull && (of === 1 || options.report)) {
    await writeReport(reported, seed);
    await results.write(made.map(candidate => triedOf(candidate, { texts, nearest })));
  }
  for (const { piece, state } of reported) if (state === 'survived') tell(`survived  ${formatPiece(piece)}`);
  for (const [test, why] of red) tell(`${test} fails without any mutant: ${why}`);
  for (const [area, score] of scoresByArea(reported)) {
    const { mutants, caught, equivalent } = score;
    tell(
      `${area}: ${caught} of ${mutants - equivalent} caught (${percentOf(score).toFixed(1)} %), ${equivalent} equivalent`,
    );
  }
  const choice = changed !== undefined ? 'changed' : sample !== undefined || only !== undefined ? 'sample' : 'all';
  const missed = missedBy({
    scores: scoresByArea(reported),
    choice,
    red: [...red.keys()],
    untried: countUntried(reported),
  });
  for (const line of missed) tell(line);
  if (options.json) process.stdout.write(`${formatJson(reported)}\n`);
  return missed.length === 0 ? 0 : 1;
}

try {
  process.exit(await run(readOptions(process.argv.slice(2))));
} catch (error) {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
