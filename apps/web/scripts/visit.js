/** @typedef {{clicked?: boolean, promoted?: boolean, lined?: boolean, receipt?: string, seen?: string}} Visit */

const keyOf = saleId => `dropline.${saleId}`;

/**
 * @param {string} saleId
 * @returns {Visit} what this tab did in the sale before it was reloaded
 */
export function recallVisit(saleId) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(saleId)) ?? '{}');
  } catch {
    // Storage is switched off or holds something else: a visitor without a past.
    return {};
  }
}

/**
 * @param {string} saleId
 * @param {Visit} visit
 */
export function rememberVisit(saleId, { clicked, promoted, lined, receipt, seen }) {
  try {
    sessionStorage.setItem(keyOf(saleId), JSON.stringify({ clicked, promoted, lined, receipt, seen }));
  } catch {
    // Without storage a reload asks the server, which knows everything but the receipt.
  }
}
