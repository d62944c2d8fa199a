import { ConfigError, readCrashSwitch } from './config.js';

// Crash points: named steps in the code at which a process can be made to fail. Tests use them to prove that a failure
// anywhere is harmless. They are off unless DROPLINE_CRASH_AT is set, which processes refuse outside tests. A crash
// point that is off costs one comparison.

/**
 * The ways in which a process can fail at a crash point.
 *
 * - `kill`: SIGKILL of this process, which cuts off everything in flight
 * - `throw`: an error like that of a lost connection
 * - `hang`: the call never returns
 * - `pause`: SIGSTOP of this process, until the test continues it
 * - `reply-lost`: the step succeeds, and its caller sees an error
 * - `duplicate`: the step runs twice
 */
export const CRASH_MODES = ['kill', 'throw', 'hang', 'pause', 'reply-lost', 'duplicate'] as const;
/** One way in which a process can fail at a crash point. */
export type CrashMode = (typeof CRASH_MODES)[number];

/** The ways to fail at a crash point between two steps. No reply can be lost there, and nothing run twice. */
export const POINT_MODES = CRASH_MODES.filter(mode => mode !== 'reply-lost' && mode !== 'duplicate');

/**
 * The crash points between two steps. A process that dies there has done everything before the point and nothing after.
 */
export const CRASH_POINTS = [
  'claim.locked',
  'claim.decided',
  'claim.answered',
  'claim.queued',
  'pass.signed',
  'status.read',
  'receipt.restored',
  'pay.queued',
  'cancel.queued',
  'entries.stored',
  'draw.closed',
  'draw.listed',
  'draw.decided',
  'draw.ordered',
  'draw.dealt',
  'event.queued',
  'job.started',
  'job.done',
  'place.stored',
  'place.given-up',
  'place.confirmed',
  'place.recorded',
  'purchase.over',
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
/** The name of a crash point between two steps. */
export type CrashPoint = (typeof CRASH_POINTS)[number];

/**
 * The crash points around one call that leaves the process, such as a statement. Its reply can be lost, and the call
 * can run twice.
 */
export const CRASH_STEPS = [
  'claim.script',
  'claim.queue',
  'receipt.restore',
  'pay.click',
  'pay.queue',
  'cancel.queue',
  'event.queue',
  'place.store',
  'place.give-up',
  'place.record',
  'place.queue-expiry',
  'pay.capture',
  'pay.record',
  'pay.drop',
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
/** The name of a crash point around one call that leaves the process. */
export type CrashStep = (typeof CRASH_STEPS)[number];

interface Armed {
  name: string;
  mode: CrashMode;
  /** Passes of this crash point until the process fails, which happens once. */
  left: number;
}

/** The error that a crash point throws. No code of the product knows it, so it is handled like any unexpected error. */
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
 * Marks a crash point between two steps, at which a test can make the process fail.
 *
 * @returns a promise to await when the process fails here, otherwise undefined
 * @throws CrashPointError in mode `throw`
 */
export function crashPoint(name: CrashPoint): Promise<void> | undefined {
  return armed?.name === name && isTime(armed) ? strike(armed) : undefined;
}

/**
 * Runs a step at a crash point: a test can make it fail, run twice or lose its reply.
 *
 * @throws the error of the step; CrashPointError in the modes `throw` and `reply-lost`
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
