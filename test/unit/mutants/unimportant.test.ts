import { describe, expect, test } from '@jest/globals';
import { createMutants } from '../../mutants/choose.js';

const changesOf = async (text: string) => {
  const made = await createMutants(new Map([['core/rules/refund.ts', text]]));
  return made.map(({ mutant: { start, end, replacement } }) => text.slice(0, start) + replacement + text.slice(end));
};

describe('mutants of TypeScript leave out', () => {
  test.each(["await crashPoint('late.regrabbed');", "const a = await crashStep('late.pay', pay);"])(
    'the name of a crash point, as the compiler refuses another one: %s',
    async text => {
      expect(await changesOf(text)).toEqual([]);
    },
  );

  test.each([
    "const a = await withDeadline(work, 500, 'a probe');",
    'await withDeadline(work, 500, `adding $' + '{name}`);',
  ])('the text by which the error of a time limit names its work: %s', async text => {
    expect(await changesOf(text)).toEqual([]);
  });
});

test('the work within such a call is changed like any other', async () => {
  expect(await changesOf("await crashStep('late.pay', () => pay(a > 1));")).toContain(
    "await crashStep('late.pay', () => pay(true));",
  );
  expect(await changesOf("await withDeadline(read('a'), 500, 'reading');")).toEqual([
    `await withDeadline(read(""), 500, 'reading');`,
  ]);
});
