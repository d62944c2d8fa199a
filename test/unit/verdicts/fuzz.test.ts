import { describe, expect, test } from '@jest/globals';
import type { WireAnswer } from '../../fuzz/answers/answer.js';
import { mistakeIn } from '../../fuzz/answers/mistake.js';
import type { Input } from '../../fuzz/inputs/input.js';
import { ProcessLog } from '../../fuzz/process-log.js';
import { exitCodeOf } from '../../fuzz/run.js';

const SECRET = 'the-secret-of-the-tokens';

const INPUT: Input = { door: 'api', text: '', isWhole: true, isHead: false, firstChars: 0, isLeftOpen: false };
const BROKEN: Input = { ...INPUT, isWhole: false };

const GOOD: WireAnswer = {
  status: 404,
  headers: { 'content-type': 'application/problem+json', 'x-content-type-options': 'nosniff' },
  body: '{"code":"not_found"}',
  isWhole: true,
};

const mistake = (answer: Partial<WireAnswer>, input = INPUT): string | undefined =>
  mistakeIn(input, { answers: [{ ...GOOD, ...answer }], hung: false, tookMs: 1 }, [SECRET]);

const json = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' };
const page = { 'content-type': 'text/html', 'x-content-type-options': 'nosniff' };

describe('an answer to an odd input', () => {
  test('of ours is no mistake', () => {
    expect(mistake({})).toBeUndefined();
    expect(mistake({ status: 200, headers: json, body: '[]' })).toBeUndefined();
    expect(mistake({ status: 200, headers: page, body: '<title>Dropline</title>' })).toBeUndefined();
  });

  test.each<[string, Partial<WireAnswer>]>([
    ['status 500', { status: 500 }],
    ['half an answer', { isWhole: false }],
    ['without a body', { body: '' }],
    ['without nosniff', { headers: { 'content-type': 'application/problem+json' } }],
    ['with the code sold_out', { body: '{"code":"sold_out"}' }],
    ['neither a problem document nor a page', { headers: { ...json, 'content-type': 'text/plain' } }],
    ['an answer that is no JSON', { status: 200, headers: json, body: '{' }],
    ['a page that is not ours', { status: 200, headers: page, body: '<title>Welcome</title>' }],
    ['a secret', { status: 200, headers: json, body: JSON.stringify({ said: SECRET }) }],
    ['our insides', { status: 200, headers: json, body: '{"file":"node_modules/express"}' }],
  ])('is a mistake: %s', (text, answer) => {
    expect(mistake(answer)).toContain(text);
  });

  test('that never comes is a mistake, unless the input was broken and the connection is closed', () => {
    const nothing = { answers: [], tookMs: 1 };
    expect(mistakeIn(INPUT, { ...nothing, hung: true }, [])).toContain('stays open');
    expect(mistakeIn(BROKEN, { ...nothing, hung: true }, [])).toContain('stays open');
    expect(mistakeIn(INPUT, { ...nothing, hung: false }, [])).toContain('gets no answer');
    expect(mistakeIn(BROKEN, { ...nothing, hung: false }, [])).toBeUndefined();
  });
});

function defectsIn(...lines: (object | string)[]): string[] {
  const log = new ProcessLog();
  for (const line of lines) log.stream.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  return log.defects;
}

describe('the log of the processes', () => {
  const line = (msg: string, more: object = {}) => ({ level: 40, time: 5_000, pid: 1, msg, ...more });

  test('may warn, once a second', () => {
    expect(defectsIn(line('a login failed'), line('a login failed', { time: 6_000 }))).toEqual([]);
    expect(defectsIn(line('refused by an operator'), line('refused by an operator'))).toEqual([]);
  });

  test.each<[string, (object | string)[]]>([
    ['an error', [line('ended', { level: 50 })]],
    ['a message that something broke', [line('could not enqueue')]],
    ['two equal lines in a second', [line('refused'), line('refused', { time: 5_900 })]],
    ['a line that is no log line', ['TypeError: undefined is not a function']],
  ])('has a defect: %s', (_, lines) => {
    expect(defectsIn(...lines)).toHaveLength(1);
  });
});

test('a run with a finding ends with 1, and one without ends with 0', () => {
  expect(exitCodeOf({ findings: [{ text: 'api: status 500' }] })).toBe(1);
  expect(exitCodeOf({ findings: [] })).toBe(0);
});
