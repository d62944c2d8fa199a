import { SECOND_MS } from '#core/rules/clock.js';
import type { SaleWish } from './buyers/sales.js';

/** How much of an upgrade is tried. */
export interface Form {
  /** Sales that the old version makes before anything is replaced. */
  before: readonly SaleWish[];
  /** Sales that the new version makes when everything is replaced. */
  after: readonly SaleWish[];
  /** Sales that the old version makes when everything was replaced back; without any, nothing is replaced back. */
  back: readonly SaleWish[];
  /** How many buyers come each second. */
  perSecond: number;
  /** For how long both versions work side by side before the next process is replaced, in ms. */
  stepMs: number;
  /** For how long the crowd meets a fleet of one version, in ms. */
  calmMs: number;
}

const CROWD: SaleWish['withUnit'] = ['pay', 'pay', 'pay', 'leave', 'cancel', 'pay and cancel'];

const line = (id: string, units: number): SaleWish => ({
  id,
  units,
  options: ['--standby-factor', '1'],
  weight: 7,
  withUnit: CROWD,
  returns: 1,
});

const elsewhere = (id: string, units: number, when: SaleWish['elsewhere'] & object): SaleWish => ({
  id,
  units,
  options: ['--provider', 'signed-webhook', '--standby-factor', '0'],
  weight: 3,
  withUnit: ['pay', 'pay', 'pay', 'leave', 'cancel'],
  elsewhere: when,
  returns: 0,
});

/** Within a minute: one sale of wallets, a small one at a provider, and each process replaced once. */
export const SHORT: Form = {
  before: [line('old-line', 120), elsewhere('old-elsewhere', 80, ['at once', 'at once', 'never'])],
  after: [{ ...line('new', 40), options: ['--standby-factor', '0'], returns: 0 }],
  back: [],
  perSecond: 20,
  stepMs: 0.5 * SECOND_MS,
  calmMs: 1.5 * SECOND_MS,
};

const few = (id: string): SaleWish => ({
  id,
  units: 15,
  options: ['--standby-factor', '0'],
  weight: 4,
  withUnit: ['leave', 'cancel', 'pay and cancel'],
  returns: 2,
  regulars: 40,
});

const immediate = (id: string): SaleWish => ({
  id,
  units: 1_000,
  options: ['--settlement', 'immediate'],
  weight: 1,
  withUnit: ['pay'],
  returns: 0,
});

const ruled = (id: string): SaleWish => ({
  id,
  units: 200,
  options: ['--one-at-a-time', '--min-seconds-between', '1', '--standby-factor', '1'],
  weight: 2,
  withUnit: CROWD,
  returns: 1,
  regulars: 60,
});

const late = (id: string, units: number, ...options: string[]): SaleWish => {
  const sale = elsewhere(id, units, ['at once', 'late', 'late', 'after failing', 'never']);
  return { ...sale, options: [...sale.options, ...options] };
};

const sales = (version: string): SaleWish[] => [
  line(`${version}-line`, 200),
  few(`${version}-few`),
  immediate(`${version}-immediate`),
  ruled(`${version}-rules`),
  late(`${version}-late`, 30),
  late(`${version}-strict`, 300, '--late-money', 'refund'),
];

/** Some minutes: sales of every kind, money that comes late, and everything replaced there, back, and there again. */
export const LONG: Form = {
  before: sales('old'),
  after: sales('new'),
  back: [line('back-line', 100), late('back-late', 30)],
  perSecond: 25,
  stepMs: 3 * SECOND_MS,
  calmMs: 5 * SECOND_MS,
};
