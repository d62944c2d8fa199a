import { describe, expect, test } from '@jest/globals';
import { judge } from '../../controls/run/judge.js';
import type { TestRun } from '../../controls/run/run-tests.js';

// The runs as runTests reports them. Real ones are in test/integration/controls.

const TITLE = 'the order is paid';
const OTHER = { fullName: 'another test', status: 'passed', failureMessages: [] };

/** A run in which the test of the title failed in its own function, with a message. */
const failedWith = (message: string, isAssertion = true): TestRun => ({
  results: [
    OTHER,
    { fullName: `pay ${TITLE} once`, status: 'failed', failureMessages: [message], own: { message, isAssertion } },
  ],
});

/** A run in which the test of the title failed because of something around it. */
const failedAround = (message: string): TestRun => ({
  results: [OTHER, { fullName: TITLE, status: 'failed', failureMessages: [message] }],
});

test('a test that fails by its own assertion has caught the bug', () => {
  expect(judge(failedWith('expect(received).toBe(expected)\n\nExpected: 1'), TITLE)).toEqual({
    caught: true,
    said: 'expect(received).toBe(expected)',
  });
});

test('a test in whose function the product throws has caught the bug', () => {
  expect(judge(failedWith('duplicate key value violates unique constraint', false), TITLE)).toMatchObject({
    caught: true,
  });
});

test('a test that passes has missed the bug, which is no error of the control', () => {
  expect(judge({ results: [{ ...OTHER, fullName: TITLE }] }, TITLE)).toEqual({ caught: false, said: 'no test failed' });
});

test('a failure of another test is none of this one', () => {
  const other = { ...failedWith('x').results[1], fullName: 'yet another test' } as TestRun['results'][0];
  expect(judge({ results: [other, { ...OTHER, fullName: TITLE }] }, TITLE)).toEqual({
    caught: false,
    said: 'no test failed',
  });
});

describe('an error of the control, and neither caught nor missed, is', () => {
  test.each([
    ['a title that no test has', { results: [OTHER] }, `no test has this title: ${TITLE}`],
    [
      'a runner that crashed',
      { results: [], broken: 'the runner ended (SIGSEGV) in "x"' },
      'the runner ended (SIGSEGV) in "x"',
    ],
    ['a hook that failed', failedAround('no disk'), 'something around the test failed, not the test: no disk'],
    [
      'a store that did not start',
      failedAround('Redis did not start'),
      'something around the test failed, not the test: Redis did not start',
    ],
    [
      'a store without a connection yet',
      failedWith("Stream isn't writeable", false),
      "a store did not answer: Stream isn't writeable",
    ],
    ['a store that is away', failedWith('connect ECONNREFUSED', false), 'a store did not answer: connect ECONNREFUSED'],
  ])('%s', (_, run, said) => {
    expect(judge(run, TITLE)).toEqual({ caught: false, isError: true, said });
  });

  test.each([
    ['of TypeScript', 'ReferenceError: total is not defined'],
    ['of Redis', 'ERR Error compiling script (new function): user_script:3: unexpected symbol'],
    ['of Redis with an unknown name', 'ERR user_script:9: Script attempted to access nonexistent global variable'],
    ['of Postgres', 'syntax error at or near "FORM"'],
    ['of Postgres with an unknown name', 'column "stauts" does not exist'],
    ['of nginx', 'nginx: [emerg] unknown directive "proxy_pas"'],
    ['of the build', 'Dropline could not be set up: tsc ended with 2'],
  ])('a text %s that does not compile', (_, message) => {
    const said = `the bug does not compile: ${message}`;
    expect(judge(failedWith(message), TITLE)).toEqual({ caught: false, isError: true, said });
    expect(judge(failedAround(message), TITLE)).toEqual({ caught: false, isError: true, said });
    expect(judge({ results: [], broken: message }, TITLE)).toEqual({ caught: false, isError: true, said });
  });
});

test('an assertion about a store that is away has caught the bug', () => {
  expect(judge(failedWith('expected [], received ECONNREFUSED'), TITLE)).toMatchObject({ caught: true });
});
