// The load generator: a process of its own, so that it takes no time from what it measures. Its parent sends it plans.
import type { LoadOutcome, LoadPlan } from './plan.js';
import { tokensOf, writeRequests } from './requests.js';
import { runLoad } from './run.js';

export type LoadReply = { outcome: LoadOutcome } | { failure: string };

const [secret = ''] = process.argv.slice(2);
const tokens = tokensOf(secret);

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
