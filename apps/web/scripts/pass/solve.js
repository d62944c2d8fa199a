/** How long a challenge can be solved, in ms, less the time that the solution needs to the API. */
const TIMEOUT_MS = 280_000;
/** The page shows the progress in this many steps: a screen reader reads each of them. */
const STEPS = 4;

/**
 * Solves ALTCHA's challenge in a worker.
 *
 * @param {{parameters: {data?: {tries?: number}}}} challenge
 * @param {(share: number) => void} onStep called with the part of the work that is done, in steps of a quarter
 * @returns {Promise<string | undefined>} ALTCHA's payload; undefined when this browser can't solve it
 */
export function solve(challenge, onStep) {
  const tries = challenge.parameters.data?.tries ?? Number.POSITIVE_INFINITY;
  let told = 0;
  return new Promise(resolve => {
    const worker = new Worker('/assets/pass/solve-worker.js', { type: 'module' });
    const end = solution => {
      worker.terminate();
      resolve(solution ? btoa(JSON.stringify({ challenge, solution })) : undefined);
    };
    worker.addEventListener('error', () => end(undefined));
    worker.addEventListener('message', ({ data }) => {
      if (data.tried === undefined) return end(data.solution);
      const step = Math.floor((data.tried / tries) * STEPS);
      if (step <= told) return;
      told = step;
      onStep(step / STEPS);
    });
    worker.postMessage({ challenge, timeout: TIMEOUT_MS });
  });
}
