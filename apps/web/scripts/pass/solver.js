import { deriveKey } from '../../../../node_modules/altcha-lib/dist/esm/v2/algorithms/web/pbkdf2.js';
import { solveChallenge } from '../../../../node_modules/altcha-lib/dist/esm/v2/pow.js';

// A worker, so that the page stays usable while a challenge is solved. It gets one challenge, and answers with its solution as the
// API expects it. The library is part of the built page, so nothing comes from another host.

addEventListener('message', async ({ data: { challenge, limitMs } }) => {
  try {
    const found = await solveChallenge({ challenge, deriveKey, timeout: limitMs });
    if (!found) return postMessage({});
    const { counter, derivedKey } = found;
    postMessage({ solution: btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } })) });
  } catch {
    // A browser computes keys only on a page that came over HTTPS, or from its own machine.
    postMessage({});
  }
});
