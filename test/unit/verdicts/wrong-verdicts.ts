import type { Verdict } from '#stack/crowd/reckoning.js';

/** A verdict that holds. */
export const GOOD: Verdict = {
  reckoning: {
    units: 3,
    buyers: 9,
    joined: 4,
    drawing: 1,
    claimed: 4,
    soldOut: 5,
    placed: 3,
    paid: 3,
    cancelled: 1,
    duplicates: 0,
    oversold: 0,
    lost: 0,
    auditOk: true,
  },
  wrong: [],
};

/** Makes the verdicts that differ from a good one in one thing that must not be, each with its name. */
export const wrongVerdicts = <V extends Verdict>(good: V): [string, V][] => [
  ['a buyer with two orders', { ...good, reckoning: { ...good.reckoning, duplicates: 1 } }],
  ['an oversold unit', { ...good, reckoning: { ...good.reckoning, oversold: 1 } }],
  ['a lost claim', { ...good, reckoning: { ...good.reckoning, lost: 1 } }],
  ['an audit that failed', { ...good, reckoning: { ...good.reckoning, auditOk: false } }],
  ['a wrong line', { ...good, wrong: ['a unit is missing'] }],
];
