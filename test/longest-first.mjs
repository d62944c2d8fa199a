// Jest loads this file without a transform, so it is plain JavaScript.
import Sequencer from '@jest/test-sequencer';

/** The kinds of tests, by the time of their longest file. */
const KINDS = ['browser', 'upgrade', 'chaos', 'stores', 'e2e', 'attack', 'edge', 'integration', 'unit'];

const rank = ({ context }) => KINDS.indexOf(context.config.displayName.name);

/** Orders the test files, so that at the end no worker waits for a long one. */
export default class LongestFirst extends Sequencer {
  /** Within a kind Jest's own order stays: by the last known time, or else by size. */
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
