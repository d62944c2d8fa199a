import type { PassVerdict } from '#core/identity/pass.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { PASS_LEAD_MS } from '#core/rules/sale.js';
import { PreparedProblem } from '../http/problem.js';

/** The refusals of clicks without a good pass. They are prepared, as a flood of such clicks must cost little. */
const READY = {
  pass_required: new PreparedProblem('pass_required'),
  bad_pass: new PreparedProblem('bad_pass'),
  pass_expired: new PreparedProblem('pass_expired'),
};

/** No pass is early by more seconds: buyers get none before. */
const SECONDS_MAX = PASS_LEAD_MS / SECOND_MS;

const earlyBySeconds = new Map<number, PreparedProblem>();

/** The codes of clicks that are refused for their pass. */
export const PASS_REFUSALS = ['pass_required', 'bad_pass', 'pass_expired', 'pass_early'] as const;

/** Returns the problem of a click whose pass is missing; undefined for a good one. */
export function refusalFor(verdict: PassVerdict | undefined): PreparedProblem | undefined {
  switch (verdict?.kind) {
    case undefined:
      return READY.pass_required;
    case 'bad':
      return READY.bad_pass;
    case 'expired':
      return READY.pass_expired;
    case 'early':
      return earlyBy(Math.min(SECONDS_MAX, Math.ceil(verdict.waitMs / SECOND_MS)));
    case 'good':
      return undefined;
  }
}

function earlyBy(seconds: number): PreparedProblem {
  let problem = earlyBySeconds.get(seconds);
  if (!problem) {
    problem = new PreparedProblem('pass_early', { retryAfterSeconds: seconds });
    earlyBySeconds.set(seconds, problem);
  }
  return problem;
}
