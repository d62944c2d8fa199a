// Jest loads this file without a transform, so it is plain JavaScript.
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { TestEnvironment } from 'jest-environment-node';

/** Set when a test of this run of jest has failed: one failure is enough, and the rest is left out. */
const run = { hasFailed: false, leftOut: {} };

/** Begins a run of jest: its tests run until one fails, but for those that are left out, by the marks of their names. */
export const beginRun = leftOut => {
  run.hasFailed = false;
  run.leftOut = leftOut;
};

/** Returns a short mark of a test's full name. */
export const markOf = name => createHash('sha256').update(name).digest('hex').slice(0, 8);

/** A test's own title is the last, and the root of a file has no name. */
const nameOf = ({ name, parent }) => (parent?.parent ? `${nameOf(parent)} ${name}` : name);

/** The environment of tests that meet a mutant. */
export default class FirstFailure extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.leftOut = run.leftOut[relative(config.projectConfig.rootDir, context.testPath)] ?? [];
  }

  handleTestEvent(event) {
    if (event.name === 'test_start') {
      const mark = markOf(nameOf(event.test));
      // Instrumented sources say which test has called them.
      this.global.__test = mark;
      if (run.hasFailed || this.leftOut.includes(mark)) event.test.mode = 'skip';
    }
    if (event.name === 'test_done') {
      this.global.__test = '';
      if (event.test.errors.length > 0) run.hasFailed = true;
    }
  }
}
