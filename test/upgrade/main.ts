import { parseArgs } from 'node:util';
import { checkout } from '#core/process/checkout.js';
import { run } from '../../bin/command.mjs';
import { commitOf, readFrom, readSeed } from './rig/from.js';

// `npm run test:upgrade -- --from REV --seed N`: the long tests of an upgrade.

const JEST = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
const LONG_TESTS = ['--selectProjects', 'upgrade', '--maxWorkers', '1', '--testPathPatterns', 'long-run|large-tables'];

try {
  const { values } = parseArgs({ options: { from: { type: 'string' }, seed: { type: 'string' } } });
  const commit = values.from === undefined ? await readFrom() : await commitOf(values.from);
  const seed = values.seed === undefined ? readSeed() : Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  process.stderr.write(`npm run test:upgrade -- --from ${commit} --seed ${seed}\n`);
  const env = { UPGRADE_FROM: commit, UPGRADE_SEED: `${seed}` };
  await run(process.execPath, [...JEST, ...LONG_TESTS], { cwd: checkout, env });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
