import { expect, test } from '@jest/globals';
import { LONG } from './forms.js';
import { readFrom, readSeed } from './rig/from.js';
import { runUpgrade } from './run.js';

test('an upgrade, a way back and another upgrade while sales of every kind run break no promise', async () => {
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const { result, folder } = await runUpgrade({ commit: await readFrom(), form: LONG, seed: readSeed() }, tell);
  const { violations, ...counts } = result;
  tell(JSON.stringify(counts));
  expect({ seed: result.seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed: result.seed,
    folder: '',
    violations: [],
  });
}, 1_200_000);
