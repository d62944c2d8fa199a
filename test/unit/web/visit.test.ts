import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { recallVisit, rememberVisit } from '../../../apps/web/scripts/visit.js';

// A browser tab keeps the facts in `sessionStorage`, and all tabs keep receipts in `localStorage`. Node.js has neither.

type Storage = 'sessionStorage' | 'localStorage';

const kept: Record<Storage, Map<string, string>> = { sessionStorage: new Map(), localStorage: new Map() };

const setStorage = (name: Storage, value: unknown) =>
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

const put = (name: Storage) => {
  const map = new Map<string, string>();
  kept[name] = map;
  setStorage(name, {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, text: string) => void map.set(key, text),
  });
};

beforeEach(() => {
  put('sessionStorage');
  put('localStorage');
});
afterEach(() => {
  setStorage('sessionStorage', undefined);
  setStorage('localStorage', undefined);
});

/** Continues in a new tab of the same browser. */
const openTab = () => put('sessionStorage');

const full = {
  getItem: () => null,
  setItem: () => {
    throw new Error('the storage is full');
  },
};

const VISIT = { clicked: true, promoted: false, stoodBy: true, receipt: 'proof', seen: 'claim-1' };
const { receipt: _, ...OVER } = VISIT;

test('a visit is read as it was kept, for its sale', () => {
  rememberVisit('x', VISIT);
  rememberVisit('y', { clicked: false });
  expect(recallVisit('x')).toEqual(VISIT);
  expect(recallVisit('y')).toEqual({ clicked: false });
});

test('a visit keeps no facts of the purchase', () => {
  rememberVisit('x', { ...VISIT, order: { unit: 7 } } as typeof VISIT);
  expect(recallVisit('x')).toEqual(VISIT);
});

test('a shop on the same address has keys of its own', () => {
  kept.sessionStorage.set('x', '{"clicked":true}');
  expect(recallVisit('x')).toEqual({});
  rememberVisit('x', VISIT);
  expect([...kept.sessionStorage.keys()]).toEqual(['x', 'dropline.x']);
  expect([...kept.localStorage.keys()]).toEqual(['dropline.receipts']);
});

test('a visit without kept facts begins with nothing, as does one whose facts are no JSON', () => {
  expect(recallVisit('x')).toEqual({});
  kept.sessionStorage.set('dropline.x', 'something else');
  for (const text of ['something else', '7', 'null', '[7]', '[["x"]]', '[["x",{}]]']) {
    kept.localStorage.set('dropline.receipts', text);
    expect(recallVisit('x')).toEqual({});
  }
  rememberVisit('x', VISIT);
  openTab();
  expect(recallVisit('x')).toEqual({ receipt: 'proof' });
});

describe('a receipt', () => {
  test('is all that a new tab finds, for its sale only', () => {
    rememberVisit('x', VISIT);
    openTab();
    expect([recallVisit('x'), recallVisit('y')]).toEqual([{ receipt: 'proof' }, {}]);
  });

  test('is replaced by a later one of its sale', () => {
    rememberVisit('x', VISIT);
    rememberVisit('x', { ...VISIT, receipt: 'later' });
    openTab();
    expect(recallVisit('x')).toEqual({ receipt: 'later' });
  });

  test('goes when the purchase that had it has ended', () => {
    rememberVisit('x', VISIT);
    openTab();
    rememberVisit('x', recallVisit('x'));
    rememberVisit('x', OVER);
    openTab();
    expect(recallVisit('x')).toEqual({});
  });

  test('stays when it is of another tab, whatever this one does', () => {
    rememberVisit('x', VISIT);
    openTab();
    rememberVisit('x', OVER);
    openTab();
    expect(recallVisit('x')).toEqual({ receipt: 'proof' });
  });

  test('stays when another tab has replaced it', () => {
    rememberVisit('x', VISIT);
    const first = kept.sessionStorage;
    openTab();
    rememberVisit('x', { ...VISIT, receipt: 'later' });
    openTab();
    for (const [key, text] of first) kept.sessionStorage.set(key, text);
    rememberVisit('x', OVER);
    openTab();
    expect(recallVisit('x')).toEqual({ receipt: 'later' });
  });

  test('is one of the 20 newest', () => {
    for (let i = 0; i < 25; i += 1) rememberVisit(`sale-${i}`, VISIT);
    openTab();
    expect(Array.from({ length: 25 }, (_, i) => recallVisit(`sale-${i}`).receipt ?? '-').indexOf('proof')).toBe(5);
  });
});

test.each([
  ['switched off', undefined],
  ['full', full],
])('a browser whose storages are %s keeps nothing, and begins with nothing', (_, storage) => {
  setStorage('sessionStorage', storage);
  setStorage('localStorage', storage);
  expect(() => rememberVisit('x', VISIT)).not.toThrow();
  expect(recallVisit('x')).toEqual({});
});

test('a browser that keeps either facts or receipts uses what it can', () => {
  setStorage('localStorage', full);
  rememberVisit('x', VISIT);
  expect(recallVisit('x')).toEqual(VISIT);
  put('localStorage');
  setStorage('sessionStorage', undefined);
  rememberVisit('x', VISIT);
  expect(recallVisit('x')).toEqual({ receipt: 'proof' });
});
