// Jest loads this file before the tests of a control. It writes down which test runs, so that a runner that crashes or hangs
// names its test. The note is touched again and again: a process whose event loop stands still can't do that.
import { utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect } from '@jest/globals';

/** Between two touches of the note, in ms. */
const TOUCH_MS = 500;

const note = process.env.CONTROL_NOTE ?? '';

writeFileSync(note, 'before the first test');
beforeEach(() => writeFileSync(note, `in "${expect.getState().currentTestName}"`));
afterEach(() => writeFileSync(note, `after "${expect.getState().currentTestName}"`));
setInterval(() => {
  const now = new Date();
  utimesSync(note, now, now);
}, TOUCH_MS).unref();
