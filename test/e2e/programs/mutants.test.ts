import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from '../../support/build.js';
import { createScratch, type Scratch } from '../../support/scratch.js';

const RULE = 'core/rules/of-age.ts';
const RULE_TEXT = 'export const isOfAge = (years: number): boolean => years >= 18;\n';
const TEST_TEXT = `import { expect, test } from '@jest/globals';
import { isOfAge } from '#core/rules/of-age.js';
test('buyers are of age from 18', () => expect([17, 18, 19].map(isOfAge)).toEqual([false, true, true]));
`;

let scratch: Scratch;

beforeAll(async () => {
  await build();
  scratch = await createScratch();
  await writeFile(join(scratch.folder, RULE), RULE_TEXT);
});
afterAll(() => scratch?.remove());

async function runMutants(): Promise<{
  code: unknown;
  last: { mutants: number; caught: number; survivors: unknown[] };
}> {
  const args = ['--conditions=source', '--import', 'tsx', 'test/mutants/main.ts', '--only', RULE, '--json'];
  const child = spawn(process.execPath, args, { cwd: scratch.folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const lines = (await text(child.stdout)).trim().split('\n');
  const [code] = await ended;
  return { code, last: JSON.parse(lines.at(-1) ?? '') };
}

test('a run of mutants that no test notices ends with 1, and one with a test for each ends with 0', async () => {
  const without = await runMutants();
  expect(without.last).toMatchObject({ mutants: 5, caught: 0, equivalent: 0 });
  expect(without.last.survivors).toContainEqual({
    file: RULE,
    line: 1,
    operator: 'EqualityOperator',
    original: 'years >= 18',
    replacement: '(years > 18)',
  });
  expect(without.code).toBe(1);

  await writeFile(join(scratch.folder, 'test', 'unit', 'of-age.test.ts'), TEST_TEXT);
  const { last, code } = await runMutants();
  expect(last).toEqual({ mutants: 5, caught: 5, equivalent: 0, survivors: [] });
  expect(code).toBe(0);
});
