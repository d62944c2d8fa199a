import { parseArgs } from 'node:util';
import { FAILOVERS, type FailoverKind } from './failover.js';
import { exitCodeOf, type FailoverResult, missedBy } from './failover-verdict.js';
import { runFailovers } from './run.js';

// `npm run chaos:failovers`: how soon claims are answered after each kind of failover of Redis, and whether every promise is kept. The
// exit code is 1 after a violation or a missed goal. With words, only these kinds: `npm run chaos:failovers -- role --rounds 5`.

const tell = (line: string) => void process.stderr.write(`${line}\n`);

const isKind = (word: string): word is FailoverKind => FAILOVERS.some(kind => kind === word);

/** Reads the words after the command; undefined when they make no sense. */
function readOptions(): { kinds: readonly FailoverKind[]; rounds: number } | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { rounds: { type: 'string', default: '20' } },
    });
    const rounds = Number(values.rounds);
    if (!positionals.every(isKind) || !Number.isInteger(rounds) || rounds < 1) return undefined;
    return { kinds: positionals.length > 0 ? positionals.filter(isKind) : FAILOVERS, rounds };
  } catch {
    return undefined;
  }
}

const options = readOptions();
if (!options) {
  tell(`usage: npm run chaos:failovers -- [${FAILOVERS.join(' | ')}]... [--rounds N]`);
  process.exit(1);
}
const results: FailoverResult[] = [];
for (const kind of options.kinds) {
  const result = await runFailovers(kind, options.rounds, tell);
  results.push(result);
  for (const line of [...result.violations, ...missedBy(result)]) tell(`${kind}: ${line}`);
}
process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
process.exit(exitCodeOf(results));
