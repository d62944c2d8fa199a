/**
 * The facts about a purchase that a browser tab keeps over a reload. `receipt` proves the claim; `seen` is the claim
 * whose end the visitor has read.
 *
 * @typedef {{clicked?: boolean, promoted?: boolean, stoodBy?: boolean, receipt?: string, seen?: string}} Visit
 */

const keyOf = saleId => `dropline.${saleId}`;

/**
 * Reads the facts about a purchase that this browser tab stored before a reload.
 *
 * @param {string} saleId
 * @returns {Visit}
 */
export function recallVisit(saleId) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(saleId)) ?? '{}');
  } catch {
    // sessionStorage is switched off or holds something else, so the purchase starts from nothing.
    return {};
  }
}

/**
 * Stores the facts about a purchase that this browser tab needs after a reload.
 *
 * @param {string} saleId
 * @param {Visit} visit
 */
export function rememberVisit(saleId, { clicked, promoted, stoodBy, receipt, seen }) {
  try {
    sessionStorage.setItem(keyOf(saleId), JSON.stringify({ clicked, promoted, stoodBy, receipt, seen }));
  } catch {
    // Without sessionStorage, a reloaded page reads the order's status from the API. Only the receipt, which proves a
    // claim, is lost.
  }
}
