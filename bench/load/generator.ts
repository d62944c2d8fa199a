import { fork } from 'node:child_process';
import type { LoadReply } from './main.js';
import type { LoadOutcome, LoadPlan } from './plan.js';

/** The load generator, a process of its own. */
export interface Generator {
  /** @throws Error when a connection broke or an answer is missing */
  run(plan: LoadPlan): Promise<LoadOutcome>;
  stop(): unknown;
}

/**
 * Starts the load generator. It ends with this process.
 *
 * @param path the compiled file of load/main.ts
 * @param secret signs the buyers' tokens
 */
export function startGenerator(path: string, secret: string): Generator {
  const child = fork(path, [secret], { execArgv: [], env: {} });
  let receive: ((reply: LoadReply) => void) | undefined;
  child.on('message', reply => receive?.(reply as LoadReply));
  child.on('exit', code => receive?.({ failure: `the load generator ended with code ${code}` }));
  return {
    async run(plan) {
      const reply = await new Promise<LoadReply>(resolve => {
        receive = resolve;
        child.send(plan);
      });
      if ('failure' in reply) throw new Error(`${plan.method} ${plan.path}: ${reply.failure}`);
      return reply.outcome;
    },
    // A signal to the whole process group may have ended the child already.
    stop: () => child.connected && child.disconnect(),
  };
}
