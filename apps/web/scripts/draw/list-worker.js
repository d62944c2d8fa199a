import { checkList } from './list.js';

// A worker, so that the page stays usable while the hashes of a whole list are computed. It gets one message with what to check, and
// answers with the progress and, at last, with the verdict.

/** The pause before a part that could not be loaded is asked for again, in ms, and how often it is. */
const RETRY_MS = 2_000;
const TRIES_MAX = 5;

addEventListener('message', async ({ data: { saleId, facts, own } }) => {
  try {
    const onPart = checked => postMessage({ checked });
    postMessage({ verdict: await checkList(facts, number => load(saleId, number), { own, onPart }) });
  } catch {
    postMessage({ failed: true });
  }
});

async function load(saleId, number, tries = 1) {
  const response = await fetch(`/draws/${saleId}/entries/${number}`).catch(() => undefined);
  if (response?.ok) return new Uint8Array(await response.arrayBuffer());
  if (tries >= TRIES_MAX) throw new Error(`part ${number} of the list could not be loaded`);
  await new Promise(resolve => setTimeout(resolve, RETRY_MS * tries));
  return load(saleId, number, tries + 1);
}
