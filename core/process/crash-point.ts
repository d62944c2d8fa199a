import { ConfigError, readCrashSwitch } from './config.js';

// Named places at which a process can be made to fail, for the tests that prove that it may fail anywhere. Off unless
// DROPLINE_CRASH_AT says so, with which a process outside a test refuses to start; then a place costs one comparison.

/**
 * How it fails there.
 *
 * - `kill`: SIGKILL of this process; what is on its way is cut off
 * - `throw`: an error, as a lost connection would throw
 * - `hang`: it never goes on
 * - `pause`: SIGSTOP of this process; whoever watches lets it go on
 * - `reply-lost`: what was to be done is done, and then it looks as if it had failed
 * - `duplicate`: what was to be done is done twice
 */
export const CRASH_MODES = ['kill', 'throw', 'hang', 'pause', 'reply-lost', 'duplicate'] as const;
export type CrashMode = (typeof CRASH_MODES)[number];

/** Those of a place between two steps: it has no reply that could be lost, and nothing that could be done twice. */
export const POINT_MODES = CRASH_MODES.filter(mode => mode !== 'reply-lost' && mode !== 'duplicate');

/** Places between two steps. A process that dies there has done what comes before, and nothing after. */
export const CRASH_POINTS = [
  'claim.answered',
  'claim.queued',
  'status.read',
  'receipt.restored',
  'pay.queued',
  'cancel.queued',
  'event.queued',
  'job.started',
  'job.done',
  'place.stored',
  'place.given-up',
  'place.recorded',
  'pay.captured',
  'pay.requested',
  'event.applied',
  'late.regrabbed',
  'refund.ended',
  'refund.returned',
  'ask.answered',
  'shop.told',
  'cancel.ended',
  'expire.ended',
  'release.released',
  'release.marked',
  'actor.locked',
  'actor.done',
  'rescue.read',
  'deliver.read',
  'reconcile.compared',
  'reconcile.opened',
  'reconcile.repaired',
  'rebuild.shut',
  'rebuild.read',
  'rebuild.staged',
  'rebuild.opened',
  'shutdown.begun',
  'shutdown.step-done',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Places around one step that reaches out of the process: its reply can be lost, and it can be done twice. */
export const CRASH_STEPS = [
  'claim.script',
  'claim.queue',
  'receipt.restore',
  'pay.queue',
  'cancel.queue',
  'event.queue',
  'place.store',
  'place.give-up',
  'place.record',
  'place.queue-expiry',
  'pay.capture',
  'pay.record',
  'pay.create',
  'pay.open',
  'event.apply',
  'event.record',
  'late.regrab',
  'late.pay',
  'late.refund',
  'refund.end',
  'refund.provider',
  'refund.mark',
  'ask.provider',
  'ask.apply',
  'shop.tell',
  'shop.mark',
  'cancel.end',
  'expire.end',
  'release.script',
  'release.mark',
  'release.queue',
  'rescue.place',
  'reconcile.verify',
  'reconcile.note',
  'rebuild.open',
] as const;
export type CrashStep = (typeof CRASH_STEPS)[number];

interface Armed {
  name: string;
  mode: CrashMode;
  /** Strikes at the n-th time that the place is passed, once. */
  left: number;
}

/** What a failed place throws: nothing in the product knows it, so it is met like any surprise. */
export class CrashPointError extends Error {
  override readonly name = 'CrashPointError';
}

const armed = parse(readCrashSwitch());

function parse(text: string | undefined): Armed | undefined {
  if (text === undefined) return undefined;
  const [name = '', mode, nth = '1'] = text.split(':');
  const isPoint = (CRASH_POINTS as readonly string[]).includes(name);
  const isStep = (CRASH_STEPS as readonly string[]).includes(name);
  const modes = isStep ? CRASH_MODES : POINT_MODES;
  const known = modes.find(one => one === mode);
  if ((!isPoint && !isStep) || !known || !(Number(nth) >= 1)) {
    throw new ConfigError(
      `DROPLINE_CRASH_AT ${text} is not name:mode:nth of a crash point (core/process/crash-point.ts)`,
    );
  }
  return { name, mode: known, left: Number(nth) };
}

/**
 * A place between two steps.
 *
 * @param name the place
 * @returns something to wait for, if this is where the process fails
 * @throws CrashPointError if it is to throw here
 */
export function crashPoint(name: CrashPoint): Promise<void> | undefined {
  return armed?.name === name && isTime(armed) ? strike(armed) : undefined;
}

/**
 * A place around one step.
 *
 * @param name the place
 * @param step what is done
 * @returns what the step returns
 * @throws what the step throws; CrashPointError if it is to throw here, or its reply to be lost
 */
export function crashStep<T>(name: CrashStep, step: () => Promise<T>): Promise<T> {
  return armed?.name === name && isTime(armed) ? failAround(armed, step) : step();
}

function isTime(place: Armed): boolean {
  place.left -= 1;
  if (place.left !== 0) return false;
  process.stderr.write(`crash point ${place.name}: ${place.mode}\n`);
  return true;
}

async function failAround<T>(place: Armed, step: () => Promise<T>): Promise<T> {
  if (place.mode !== 'reply-lost' && place.mode !== 'duplicate') await strike(place);
  const result = await step();
  if (place.mode === 'duplicate') return step();
  if (place.mode === 'reply-lost') throw new CrashPointError(`${place.name}: the reply was lost`);
  return result;
}

async function strike({ name, mode }: Armed): Promise<void> {
  if (mode === 'throw') throw new CrashPointError(`${name}: failed`);
  if (mode === 'kill') process.kill(process.pid, 'SIGKILL');
  if (mode === 'pause') process.kill(process.pid, 'SIGSTOP');
  if (mode === 'hang') await new Promise<never>(() => undefined);
}
