import { deriveKey } from '/assets/altcha/algorithms/web/pbkdf2.js';
import { solveChallenge } from '/assets/altcha/pow.js';

// A worker, so that the page stays usable during the work that a pass costs. It gets one message with ALTCHA's challenge, and
// answers with the tries so far and, at last, with the solution.

/** How often the worker says how far it is, in tries. */
const REPORT_EVERY = 50;

addEventListener('message', async ({ data: { challenge, timeout } }) => {
  let tried = 0;
  const counted = (...args) => {
    tried += 1;
    if (tried % REPORT_EVERY === 0) postMessage({ tried });
    return deriveKey(...args);
  };
  try {
    postMessage({ solution: await solveChallenge({ challenge, deriveKey: counted, timeout }) });
  } catch {
    postMessage({ solution: null });
  }
});
