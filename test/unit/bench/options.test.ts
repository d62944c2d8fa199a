import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readOptions } from '../../../bench/options.js';

describe('the options of the benchmark', () => {
  test('a comparison has nine rounds, short ones with --quick', () => {
    expect(readOptions(['--against', '../old'])).toMatchObject({ against: resolve('../old'), rounds: 9, seconds: 2 });
    expect(readOptions(['--against', '../old', '--quick'])).toMatchObject({ rounds: 9, seconds: 0.7 });
    expect(readOptions(['--against', '../old', '--rounds', '15', '--promise', '0.97'])).toMatchObject({
      rounds: 15,
      promise: 0.97,
    });
  });

  test('without --against nothing is compared', () => {
    expect(readOptions([])).toMatchObject({ against: undefined, promise: undefined, rounds: 5 });
  });

  test.each([
    ['--against ../old --rounds 8', /at least 9 rounds/],
    ['--against ../old --promise much', /--promise takes a ratio/],
    ['--against ../old --only wins', /does not go with --only/],
    ['--against ../old --save', /does not go with --save/],
    ['--growth --against ../old', /--growth does not go with --against/],
    ['--promise 0.97', /--promise needs --against/],
    ['--rounds 0', /positive number/],
    ['--load 64', /connections x requests/],
    ['--save --quick', /no --quick/],
    ['--unknown', /unknown/i],
  ])('%s is refused', (args, message) => {
    expect(() => readOptions(args.split(' '))).toThrow(message);
  });
});
