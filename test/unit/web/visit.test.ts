import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { recallVisit, rememberVisit } from '../../../apps/web/scripts/visit.js';

// A browser tab keeps the facts in `sessionStorage`, which Node.js does not have.

let kept: Map<string, string>;

const setStorage = (value: unknown) =>
  Object.defineProperty(globalThis, 'sessionStorage', { value, configurable: true, writable: true });

beforeEach(() => {
  kept = new Map();
  setStorage({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  });
});
afterEach(() => void setStorage(undefined));

const VISIT = { clicked: true, promoted: false, stoodBy: true, receipt: 'proof', seen: 'claim-1' };

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
  kept.set('x', '{"clicked":true}');
  expect(recallVisit('x')).toEqual({});
  rememberVisit('x', VISIT);
  expect([...kept.keys()]).toEqual(['x', 'dropline.x']);
});

test('a visit without kept facts begins with nothing, as does one whose facts are no JSON', () => {
  expect(recallVisit('x')).toEqual({});
  kept.set('dropline.x', 'something else');
  expect(recallVisit('x')).toEqual({});
});

test('a tab without a storage keeps nothing, and begins with nothing', () => {
  setStorage(undefined);
  expect(() => rememberVisit('x', VISIT)).not.toThrow();
  expect(recallVisit('x')).toEqual({});
});
