import { fork } from 'node:child_process';
import type { LoadReply } from './main.js';
import type { LoadOutcome, LoadPlan } from './plan.js';

/** The load generator, in its own process. */
export interface Generator {
  /**
   * @returns what came of the plan
   * @throws Error when a connection broke or an answer is missing
   */
  run(plan: LoadPlan): Promise<LoadOutcome>;
  stop(): unknown;
}

/**
 * @param path its compiled file
 * @param secret what the buyers' tokens are signed with
 * @returns the generator; it ends with us
 */
export function startGenerator(path: string, secret: string): Generator {
  const child = fork(path, [secret], { execArgv: [], env: {} });
  let settle: ((reply: LoadReply) => void) | undefined;
  child.on('message', reply => settle?.(reply as LoadReply));
  child.on('exit', code => settle?.({ failure: `the load generator ended with code ${code}` }));
  return {
    async run(plan) {
      const reply = await new Promise<LoadReply>(resolve => {
        settle = resolve;
        child.send(plan);
      });
      if ('failure' in reply) throw new Error(`${plan.method} ${plan.path}: ${reply.failure}`);
      return reply.outcome;
    },
    // A signal to the whole group has ended it before us.
    stop: () => child.connected && child.disconnect(),
  };
}
