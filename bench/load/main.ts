// The load generator. A process of its own, so that its work takes no time from the benchmark's. Its parent sends plans.
import type { LoadOutcome, LoadPlan } from './plan.js';
import { createTokens, writeRequests } from './requests.js';
import { runLoad } from './run.js';

/** The answer to a plan. */
export type LoadReply = { outcome: LoadOutcome } | { failure: string };

const [secret = ''] = process.argv.slice(2);
const tokens = createTokens(secret);

async function replyTo(plan: LoadPlan): Promise<LoadReply> {
  try {
    return { outcome: await runLoad(plan, writeRequests(plan, tokens)) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', plan => {
  void replyTo(plan as LoadPlan).then(reply => process.send?.(reply));
});
process.on('disconnect', () => process.exit());
