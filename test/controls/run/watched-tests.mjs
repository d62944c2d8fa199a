// The environment of the tests of a control. Jest loads this file without a transform, so it is plain JavaScript. It writes down
// which test runs, so that a runner that crashes or hangs names its test. The note is touched again and again: a process whose
// event loop stands still can't do that. It also writes down which tests failed in their own function: a test fails, too, when
// something around it fails, such as the start of a store, and has then noticed nothing.
import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { TestEnvironment } from 'jest-environment-node';

/** Between two touches of the note, in ms. */
const TOUCH_MS = 500;

const note = process.env.CONTROL_NOTE;
const events = process.env.CONTROL_EVENTS;

/** A test's own title is the last, and the root of a file has no name. */
const nameOf = ({ name, parent }) => (parent?.parent ? `${nameOf(parent)} ${name}` : name);

/** Returns what an error and its causes say. The name of an error that shows a broken text is a part of it. */
const messageOf = error => {
  const name = /^(Reference|Syntax)Error$/.test(error?.name) ? `${error.name}: ` : '';
  return [`${name}${error?.message ?? error}`, error?.cause && messageOf(error.cause)].filter(Boolean).join('\n');
};

const append = event => appendFileSync(events, `${JSON.stringify(event)}\n`);

/** The environment of watched tests. */
export default class WatchedTests extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    writeFileSync(note, 'before the first test');
    setInterval(() => {
      const now = new Date();
      utimesSync(note, now, now);
    }, TOUCH_MS).unref();
  }

  handleTestEvent({ name, test, error }) {
    if (name === 'run_start') append({ loaded: true });
    if (name === 'test_started') writeFileSync(note, `in "${nameOf(test)}"`);
    if (name === 'test_done') writeFileSync(note, `after "${nameOf(test)}"`);
    if (name === 'test_fn_failure') {
      append({ failed: nameOf(test), message: messageOf(error), isAssertion: error?.matcherResult !== undefined });
    }
  }
}
