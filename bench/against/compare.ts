import { checkout } from '#core/process/checkout.js';
import { createLogger } from '#core/process/logger.js';
import { reportTo } from '#core/process/reporting.js';
import { startGenerator } from '../load/generator.js';
import { commitOf, describeMachine, loadNow } from '../measure/machine.js';
import type { Options } from '../options.js';
import { compileBench } from '../rig/compile.js';
import { type BeforeEnd, createSecret, tell } from '../rig/rig.js';
import { readCheckout } from './checkout.js';
import { compareFigures } from './ratio.js';
import type { Compared } from './report.js';
import { measureRounds } from './rounds.js';
import { startSide } from './side.js';

/**
 * Compares this checkout with another one on this machine, in one run and by turns.
 *
 * @param folder the other checkout, of any version
 * @param beforeEnd remembers what to stop, also when starting fails half-way
 * @throws Error in one line, when the folder is no checkout of Dropline or can't be set up
 */
export async function compareWith(folder: string, options: Options, beforeEnd: BeforeEnd): Promise<Compared> {
  const loadBefore = loadNow();
  const commits = { old: commitOf(folder), new: commitOf(checkout) };
  const checkouts = { old: await readCheckout(folder), new: await readCheckout(checkout) };
  reportTo(createLogger('bench', 'warn'));
  const compiled = await compileBench();
  const secret = createSecret();
  const generator = startGenerator(compiled('load/main'), secret);
  beforeEnd(() => generator.stop());
  const common = { options, generator, secret };
  const sides = {
    old: await startSide({ ...common, checkout: checkouts.old }, beforeEnd),
    new: await startSide({ ...common, checkout: checkouts.new }, beforeEnd),
  };
  const rounds = await measureRounds(sides, { ...options, tell });
  return {
    machine: await describeMachine(sides.new, loadBefore),
    commits,
    comparisons: compareFigures(rounds),
    rounds: rounds.length,
    promise: options.promise,
  };
}
