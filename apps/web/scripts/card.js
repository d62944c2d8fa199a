import { spanOf } from './clock.js';
import { formatPrice, phaseOf } from './sale.js';
import { texts } from './texts.js';

/**
 * The content of the sale's page, without the dialog about the visitor's purchase.
 *
 * @typedef {object} Card
 * @property {string} title
 * @property {string} price
 * @property {string} note
 * @property {string} until what the countdown leads to
 * @property {[number, string][]} countdown the time until joining begins or the sale opens, as numbers with their units; empty once the
 *   sale has opened
 * @property {number | undefined} share the part of the units that is left, 0 to 1; undefined hides the gauge
 * @property {{label: string, action?: 'click' | 'show'}} button the button is grey without an action
 * @property {string} hint the outcome of the visitor's last click
 */

/**
 * Computes the content of the sale's page.
 *
 * @param {{sale?: import('./sale.js').Sale, trouble?: 'unknown' | 'unreachable' | 'none', nowMs: number,
 *   purchase: import('./purchase.js').Purchase, pass?: import('./pass/keeper.js').PassState}} page `trouble` is the reason why there is no sale to show
 * @returns {Card}
 */
export function cardOf({ sale, trouble, nowMs, purchase, pass }) {
  if (!sale) return withoutSale(trouble);
  const phase = phaseOf(sale, nowMs);
  return {
    title: sale.title,
    price: formatPrice({ ...sale, amountMinor: sale.priceMinor }, texts.locale),
    note: noteOf(sale, phase),
    ...untilNext(sale, phase, nowMs),
    share: phase === 'open' || phase === 'sold_out' ? sale.remaining / sale.units : undefined,
    button: buttonOf(phase, purchase),
    hint: hintOf(purchase, phase) || passOf(purchase, phase, pass),
  };
}

/** Once the sale is open, the notice `not_open` about an earlier click is stale. */
const hintOf = ({ notice }, phase) =>
  notice === 'not_open' && phase !== 'upcoming' ? '' : (texts.notice[notice] ?? '');

/** Returns how far the visitor's device is with the pass: before the opening, and while a click waits for it. */
function passOf({ step }, phase, pass) {
  if (pass?.step === 'working' && step === 'buying') return texts.pass.waiting(pass.share);
  if (step !== 'idle') return '';
  if (pass?.step === 'working') return texts.pass.working(pass.share);
  return pass?.step === 'ready' && phase === 'upcoming' ? texts.pass.ready : '';
}

const TROUBLES = {
  none: texts.noSale,
  unknown: texts.unknownSale,
  unreachable: { title: texts.loading, note: texts.unreachable },
};

function withoutSale(trouble) {
  const { title, note } = TROUBLES[trouble] ?? { title: texts.loading, note: '' };
  return { title, price: '', note, until: '', countdown: [], share: undefined, button: { label: '' }, hint: '' };
}

/** Returns the countdown to the begin of joining, then to the opening. */
function untilNext({ joinsAtMs, opensAtMs }, phase, nowMs) {
  if (phase !== 'upcoming' && phase !== 'joining') return { until: '', countdown: [] };
  const isForJoining = phase === 'upcoming' && joinsAtMs !== undefined;
  const atMs = isForJoining ? joinsAtMs : opensAtMs;
  return { until: isForJoining ? texts.joinsIn : texts.opensIn, countdown: countdownOf(atMs - nowMs) };
}

function noteOf({ units, remaining, remainingIsRough }, phase) {
  if (phase === 'joining') return `${texts.unitsUpcoming(units)}. ${texts.joining}`;
  if (phase === 'upcoming') return texts.unitsUpcoming(units);
  if (phase === 'drawing') return texts.begun.drawing;
  if (phase === 'open') return (remainingIsRough ? texts.unitsLeftRoughly : texts.unitsLeft)(remaining, units);
  if (phase === 'sold_out') return texts.unitsGone;
  return texts[phase];
}

function countdownOf(ms) {
  const { days, hours, minutes, seconds } = spanOf(ms);
  const all = [
    [days, texts.days],
    [hours, texts.hours],
    [minutes, texts.minutes],
    [seconds, texts.seconds],
  ];
  return days > 0 ? all : all.slice(1);
}

function buttonOf(phase, { step }) {
  if (step === 'idle') {
    const isOpen = ['joining', 'drawing', 'open', 'sold_out'].includes(phase);
    return { label: texts.button[phase], ...(isOpen ? { action: 'click' } : {}) };
  }
  const isAsking = step === 'buying' || step === 'resuming';
  return isAsking ? { label: texts.button[step] } : { label: texts.button.order, action: 'show' };
}
