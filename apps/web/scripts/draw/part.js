import { texts } from '../texts.js';
import { canCheck, hasDraw } from './check.js';

/**
 * The content of the part "Check this draw".
 *
 * @typedef {object} Part
 * @property {string} kind which kind of draw this is, and what that does not rule out
 * @property {string} own the outcome for the visitor's own entry
 * @property {string} whole the outcome for the whole list
 * @property {{label: string, isBusy: boolean} | undefined} button undefined while there is no list to check
 * @property {boolean} isWrong whether something is not as it was promised
 */

const { draw } = texts;

/**
 * Computes the content of the part "Check this draw".
 *
 * @param {import('../sale.js').Sale | undefined} sale
 * @param {import('./check.js').Checked} checked
 * @returns {Part | undefined} undefined for a sale without a draw
 */
export function partOf(sale, checked) {
  const { facts } = checked;
  if (!hasDraw(sale) || !facts) return undefined;
  return {
    kind: [kindOf(facts), facts.lateEntries > 0 ? draw.late(facts.lateEntries) : '']
      .filter(text => text !== '')
      .join(' '),
    own: ownOf(checked),
    whole: wholeOf(checked),
    button: facts.root && canCheck() ? buttonOf(checked) : undefined,
    isWrong: checked.own === 'wrong' || checked.verdict?.fault !== undefined,
  };
}

/**
 * Names the public value of a draw in words.
 *
 * @param {import('./list.js').Facts | undefined} facts
 * @returns {string | undefined} undefined for a draw without one
 */
export function sourceOf(facts) {
  if (facts?.beaconRound !== undefined) return draw.beacon(facts.beaconRound, facts.valueSource);
  return facts?.valueSource;
}

function kindOf(facts) {
  const source = sourceOf(facts);
  if (source === undefined) return draw.commitmentOnly;
  if (facts.value === undefined) return draw.withValue(source);
  return draw.withValueKnown(facts.isSubstitute ? (facts.valueSubstitute ?? source) : source, facts.value);
}

function ownOf({ facts, own, entry }) {
  if (!facts.root) return draw.notClosed;
  if (!canCheck()) return draw.cannotCheck;
  return own === undefined ? '' : draw.own[own](entry);
}

function wholeOf({ counted, verdict, failed, facts }) {
  if (counted !== undefined) return draw.counted(counted, facts.entries);
  if (failed) return draw.failed;
  if (!verdict) return '';
  if (verdict.fault) return draw.faults[verdict.fault];
  const order = facts.seed === undefined ? draw.noSeed : '';
  const rank = verdict.rank === undefined ? '' : draw.rank(verdict.rank, verdict.entries);
  return [draw.whole(verdict.entries), order, rank].filter(text => text !== '').join(' ');
}

const buttonOf = ({ counted }) => ({
  label: counted === undefined ? draw.checkWhole : draw.checking,
  isBusy: counted !== undefined,
});
