/** @typedef {{clicked?: boolean, promoted?: boolean, stoodBy?: boolean, receipt?: string, seen?: string}} Visit */

const keyOf = saleId => `dropline.${saleId}`;

/**
 * Reads the visit of this tab before it was reloaded.
 *
 * @param {string} saleId
 * @returns {Visit}
 */
export function recallVisit(saleId) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(saleId)) ?? '{}');
  } catch {
    // Storage is switched off or holds something else, so the visit starts from nothing.
    return {};
  }
}

/**
 * Stores the visit of this tab for a reload.
 *
 * @param {string} saleId
 * @param {Visit} visit
 */
export function rememberVisit(saleId, { clicked, promoted, stoodBy, receipt, seen }) {
  try {
    sessionStorage.setItem(keyOf(saleId), JSON.stringify({ clicked, promoted, stoodBy, receipt, seen }));
  } catch {
    // Without storage a reload asks the server, which knows the order but not the receipt.
  }
}
