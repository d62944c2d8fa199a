// Jest loads this file without a transform, so it is plain JavaScript.
import { TestEnvironment } from 'jest-environment-node';

/** Set when a test of this run of jest has failed: one failure is enough, and the rest is left out. */
const run = { hasFailed: false };

/** Begins a run of jest: its tests run until one fails. */
export const beginRun = () => {
  run.hasFailed = false;
};

/** The environment of tests that meet a mutant. */
export default class FirstFailure extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === 'test_done' && event.test.errors.length > 0) run.hasFailed = true;
    if (event.name === 'test_start' && run.hasFailed) event.test.mode = 'skip';
  }
}
