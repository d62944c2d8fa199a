import { ask } from '../api.js';

/**
 * What the page knows of a draw, and what it has checked itself.
 *
 * @typedef {object} Checked
 * @property {import('./list.js').Facts} [facts]
 * @property {'proven' | 'wrong' | 'no_entry' | 'late_entry'} [own] the outcome for the visitor's own entry; missing until it is known
 * @property {number} [entry] the number of the visitor's entry
 * @property {string} [published] the visitor's entry as the list has it
 * @property {number} [counted] how many entries of the whole list are checked so far, while it is being checked
 * @property {import('./list.js').Verdict} [verdict] the outcome for the whole list
 * @property {boolean} [failed] whether the whole list could not be loaded
 */

/** Whether the browser can compute hashes: only on a page that came over HTTPS, or from this machine. */
export const canCheck = () => globalThis.crypto?.subtle !== undefined;

/** Whether a sale has a draw at all. */
export const hasDraw = sale => sale?.opening === 'shuffle' || sale?.opening === 'draw';

/**
 * Checks a draw for the visitor: the own entry as soon as it can be proven, the whole list when the visitor wants it.
 *
 * @param {string} saleId
 * @param {() => void} onChange is called when `checked` has changed
 */
export function createCheck(saleId, onChange) {
  /** @type {Checked} */
  const checked = {};
  const learn = news => {
    Object.assign(checked, news);
    onChange();
  };
  let isBusy = false;

  async function loadFacts() {
    const answer = await ask('draw', saleId);
    if (answer.ok) learn({ facts: answer.body });
  }

  async function proveOwn() {
    const answer = await ask('proof', saleId);
    if (answer.ok) {
      const { entry, published } = answer.body;
      // Loaded only here: a page without a draw needs none of it.
      const { isProven } = await import('./proof.js');
      const isRight = await isProven(answer.body, checked.facts?.root);
      learn({ own: isRight ? 'proven' : 'wrong', entry, published });
    } else if (answer.code === 'no_entry' || answer.code === 'late_entry') learn({ own: answer.code });
  }

  /**
   * Learns what is new about the draw. Call it again from time to time: it asks for nothing that is known.
   *
   * @param {{sale?: import('../sale.js').Sale, hasOpened: boolean, mayHaveEntry: boolean}} page
   */
  async function follow({ sale, hasOpened, mayHaveEntry }) {
    if (!hasDraw(sale) || isBusy) return;
    isBusy = true;
    if (!checked.facts || (hasOpened && checked.facts.seed === undefined)) await loadFacts();
    if (checked.facts?.root && mayHaveEntry && !checked.own && canCheck()) await proveOwn();
    isBusy = false;
  }

  /** Checks the whole list in a worker, by the newest facts: entries may have come back late since. */
  async function checkWhole() {
    if (checked.counted !== undefined) return;
    learn({ counted: 0, verdict: undefined, failed: false });
    await loadFacts();
    const worker = new Worker('/assets/draw/list-worker.js', { type: 'module' });
    const end = news => {
      worker.terminate();
      learn({ counted: undefined, ...news });
    };
    worker.addEventListener('error', () => end({ failed: true }));
    worker.addEventListener('message', ({ data }) => {
      if (data.checked === undefined) end(data);
      else learn({ counted: data.checked });
    });
    worker.postMessage({ saleId, facts: checked.facts, own: checked.published });
  }

  return { checked, follow, checkWhole };
}
