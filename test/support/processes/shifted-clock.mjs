// Loaded before a process by `--import`: the clock of the process is `ms` ahead of the machine's, or behind it.
import { URL } from 'node:url';

const shiftMs = Number(new URL(import.meta.url).searchParams.get('ms'));
const now = Date.now.bind(Date);

globalThis.Date = class extends Date {
  constructor(...args) {
    if (args.length === 0) super(now() + shiftMs);
    else super(...args);
  }

  static now() {
    return now() + shiftMs;
  }
};
