// Jest loads this file without a transform, so it is plain JavaScript.
import Sequencer from '@jest/test-sequencer';

/** Keeps the files of tests in the order in which they were given: the nearest to the mutant first. */
export default class GivenOrder extends Sequencer {
  sort(tests) {
    return tests;
  }
}
