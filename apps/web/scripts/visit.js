/**
 * The facts about a purchase that a browser keeps. `receipt` proves the claim or the entry; `seen` is the claim whose end the visitor has
 * read.
 *
 * @typedef {{clicked?: boolean, promoted?: boolean, stoodBy?: boolean, receipt?: string, seen?: string}} Visit
 */

// A tab keeps all facts over a reload. The receipt also outlives the tab: by it the buyer keeps a claim or an entry that Redis has lost. On
// a shared computer it gives nothing to others: the API takes it only with its buyer's token, and the page drops it with any other one.

const keyOf = saleId => `dropline.${saleId}`;

/** The receipts of all sales: a list of pairs of a sale and its receipt, the newest one last. */
const RECEIPTS = 'dropline.receipts';

/** The most sales whose receipts a browser keeps. A receipt has some 110 characters. */
const RECEIPTS_MAX = 20;

/**
 * Reads the facts about a purchase that this browser tab stored before a reload. A new tab only finds the receipt.
 *
 * @param {string} saleId
 * @returns {Visit}
 */
export function recallVisit(saleId) {
  const visit = visitOfTab(saleId);
  const receipt = visit.receipt ?? new Map(readReceipts()).get(saleId);
  return receipt === undefined ? visit : { ...visit, receipt };
}

/**
 * Stores the facts about a purchase that this browser tab needs after a reload, and the receipt for later tabs. The receipt goes once the
 * purchase that had it has none any more.
 *
 * @param {string} saleId
 * @param {Visit} visit
 */
export function rememberVisit(saleId, { clicked, promoted, stoodBy, receipt, seen }) {
  const { receipt: before } = visitOfTab(saleId);
  if (receipt !== before) replaceReceipt(saleId, before, receipt);
  try {
    sessionStorage.setItem(keyOf(saleId), JSON.stringify({ clicked, promoted, stoodBy, receipt, seen }));
  } catch {
    // Without sessionStorage, a reloaded page reads the order's status from the API, with the receipt if that was stored.
  }
}

/** Reads what the tab has stored. */
function visitOfTab(saleId) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(saleId)) ?? '{}');
  } catch {
    // sessionStorage is switched off or holds something else, so the purchase starts from nothing.
    return {};
  }
}

/** Replaces the receipt of a sale. Without a new one, that of another tab stays. */
function replaceReceipt(saleId, before, receipt) {
  const stored = readReceipts();
  if (receipt === undefined && new Map(stored).get(saleId) !== before) return;
  const others = stored.filter(([id]) => id !== saleId);
  const next = receipt === undefined ? others : [...others, [saleId, receipt]].slice(-RECEIPTS_MAX);
  try {
    localStorage.setItem(RECEIPTS, JSON.stringify(next));
  } catch {
    // localStorage is full or switched off: only this tab has the receipt.
  }
}

/** @returns {[saleId: string, receipt: string][]} */
function readReceipts() {
  try {
    const stored = JSON.parse(localStorage.getItem(RECEIPTS) ?? '[]');
    return stored.filter(pair => pair.length === 2 && pair.every(text => typeof text === 'string'));
  } catch {
    // localStorage is switched off or holds something else.
    return [];
  }
}
