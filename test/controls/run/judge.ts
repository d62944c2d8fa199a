import type { OwnFailure, TestRun } from './run-tests.js';

/** The answer of a bug's test, when it was run in one way. */
export interface Said {
  caught: boolean;
  /** The control itself is wrong, or could not be run: neither caught nor missed. */
  isError?: true;
  /** With the start of the stores. */
  seconds: number;
  /** The first line of the failure. It shows whether the test failed for the right reason. */
  said: string;
}

/** A compiler, a store or a proxy says this of a text that is none of its language, and of a name that doesn't exist. */
const INVALID = [
  /SyntaxError/,
  /Syntax Error/,
  /ReferenceError/,
  /Error compiling script/,
  /nonexistent global variable/,
  /syntax error at or near/,
  /syntax error at end of input/,
  /column "?[\w.]+"? does not exist/,
  /\[emerg\]/,
  /could not be set up/,
];

/** A store that is late on a busy machine fails a test without any bug. */
const LATE = [
  /ECONNREFUSED/,
  /ECONNRESET/,
  /Connection is closed/,
  /Command timed out/,
  /Stream isn't writeable/,
  /did not start/,
];

// Jest colours its messages.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** These lines of jest say nothing about a cause. */
const HEADINGS = /^(●.*|Jest encountered.*|Configuration error:|Test suite failed to run|Syntax Error)$/;

const linesOf = (message: string): string[] =>
  message
    .replace(COLOUR, '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !HEADINGS.test(line));

const lineOf = (message: string): string => linesOf(message)[0] ?? '';

const isOneOf = (patterns: readonly RegExp[], message: string): boolean =>
  patterns.some(pattern => pattern.test(message.replace(COLOUR, '')));

/** Says whether the tests of a title have noticed a bug. Only a failure of a test in its own function is one of the test. */
export function judge(run: TestRun, title: string): Omit<Said, 'seconds'> {
  if (run.broken !== undefined) return wrong(whyBroken(run.broken, run.printed));
  const { results } = run;
  const tests = results.filter(({ fullName }) => fullName.includes(title));
  if (tests.length === 0) return wrong(`no test has this title: ${title}`);
  const failed = tests.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return { caught: false, said: 'no test failed' };
  const own = failed.flatMap(test => test.own ?? []);
  const around = failed[0]?.failureMessages.join('\n') ?? '';
  if (own.length === 0) return wrong(isOneOf(INVALID, around) ? notCompiled(around) : beside(around));
  const reasons = own.map(whyNone);
  const noticed = own.find((_, at) => reasons[at] === undefined);
  return noticed ? { caught: true, said: lineOf(noticed.message) } : wrong(reasons[0] ?? '');
}

/** Says why a test that ran without any bug proves nothing, or nothing if it passed. */
export function whyUnproven(run: TestRun, title: string, way = 'with its file'): string | undefined {
  const { isError, caught, said } = judge(run, title);
  if (isError) return said;
  return caught ? `the test fails ${way}: ${said}` : undefined;
}

/** Says why a failure of a test is no sign of the bug, or nothing if it is one. */
function whyNone({ message, isAssertion }: OwnFailure): string | undefined {
  if (isOneOf(INVALID, message)) return notCompiled(message);
  return !isAssertion && isOneOf(LATE, message) ? `a store did not answer: ${lineOf(message)}` : undefined;
}

function whyBroken(broken: string, printed = ''): string {
  if (isOneOf(INVALID, broken)) return notCompiled(broken);
  if (isOneOf(INVALID, printed)) return notCompiled(printed);
  // Once a test runs, its name says more than what was printed.
  return /loaded$/.test(broken) ? `${broken}: ${lineOf(printed)}` : broken;
}

const wrong = (said: string): Omit<Said, 'seconds'> => ({ caught: false, isError: true, said });

/** Any line of the message may name the fault. */
const notCompiled = (message: string): string =>
  `the bug does not compile: ${linesOf(message).find(line => isOneOf(INVALID, line)) ?? lineOf(message)}`;

const beside = (message: string): string => `something around the test failed, not the test: ${lineOf(message)}`;
