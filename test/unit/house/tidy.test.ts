import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { aliases, booleanArguments, longParameterLists } from './rules/calls.js';
import { below, CODE, PRODUCT, readCheckout, type Source, scriptsOf } from './rules/checkout.js';
import { expectNone, type Finding } from './rules/finding.js';
import { passagesOf } from './rules/passages.js';

// House rules about code that no linter knows. Each message says what to do.

const checkout = readCheckout(join(import.meta.dirname, '../../..'));
const product = below(checkout, PRODUCT);
const code = below(checkout, CODE);
const tests = below(checkout, ['test']);

/** Finds the lines that match a pattern. */
const linesWith = (sources: Source[], pattern: RegExp): Finding[] =>
  sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [{ path, line: index + 1, text: line.trim() }] : [])),
  );

describe('sources', () => {
  test('settings are read in one file', () => {
    const others = product.filter(({ path }) => path !== 'core/process/config.ts');
    const advice = 'process.env is read only in core/process/config.ts: add the setting there and pass it on';
    expectNone(linesWith(others, /\bprocess\.env\b/), advice);
  });

  test('a value is never pasted into SQL', () => {
    const advice = 'use the tagged template $queryRaw / $executeRaw: it sends values as parameters';
    expectNone(linesWith(code, /\$(query|execute)RawUnsafe/), advice);
  });

  test('one function changes the status of a payment, by one table', () => {
    const others = product.filter(({ path, text }) => {
      const isOther = path !== 'core/postgres/money/payment-change.ts';
      return isOther && /UPDATE payments\b(?:(?!WHERE|`)[\s\S])*\bstatus =/.test(text);
    });
    const findings = others.map(({ path }) => ({ path, line: 1, text: 'UPDATE payments SET status' }));
    expectNone(findings, 'lock the payment and call changePayment, which holds to PAYMENT_TRANSITIONS');
  });

  test('nothing is left for later', () => {
    const open = code
      .flatMap(passagesOf)
      .filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text))
      .map(({ path, line, text }) => ({ path, line, text }));
    expectNone(open, 'do it now, or file an issue');
  });

  test('a thing has one name', () => {
    const advice = 'no alias in imports and exports: find the name that fits where it is declared and where it is used';
    expectNone(aliases(scriptsOf(product)), advice);
  });

  test('a call says what its arguments are', () => {
    const advice = 'no true or false as an argument: use a union of words, an options object, or two functions';
    expectNone(booleanArguments(scriptsOf(product)), advice);
  });

  test('a function takes three things, and options', () => {
    const advice = 'from the fourth parameter on an options object ({ a, b }: XOptions), or take fewer things';
    expectNone(longParameterLists(scriptsOf(product)), advice);
  });
});

describe('tests', () => {
  test('none is left out', () => {
    const pattern = /\b(test|it|describe)(\.each)?\.(only|skip|todo)\b|\b(xit|xtest|xdescribe|fit|fdescribe)\(/;
    expectNone(linesWith(tests, pattern), 'every test runs: remove the .only, .skip or .todo, or the test');
  });
});
