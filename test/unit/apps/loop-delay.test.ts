import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { LoopDelay } from '../../../apps/api/load/loop-delay.js';

let nowMs = 0;
let delay: LoopDelay;
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  delay = new LoopDelay();
});
afterEach(() => {
  delay.close();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** Lets samples be taken, each late by a number of ms. */
function sample(...lateMs: number[]): void {
  for (const late of lateMs) {
    nowMs += 20 + late;
    jest.advanceTimersByTime(20);
  }
}

/** Reads the delay of a loop that has just started and is idle. */
function start(): void {
  sample(0);
  delay.read();
  sample(0);
  delay.read();
}

test('a delay of every turn is a standing delay', () => {
  sample(300, 250, 400);
  delay.read();
  sample(300, 280, 400);
  expect(delay.read()).toBe(250);
});

test('a burst is none, as it leaves a turn short', () => {
  start();
  sample(500, 500, 3, 500);
  delay.read();
  sample(500, 500);
  expect(delay.read()).toBe(3);
});

test('one short turn is forgotten at the second reading after it', () => {
  start();
  sample(0, 500);
  expect(delay.read()).toBe(0);
  sample(500);
  expect(delay.read()).toBe(0);
  sample(500);
  expect(delay.read()).toBe(500);
});

test('a loop that took no sample since the last reading keeps the delay before', () => {
  sample(200);
  delay.read();
  sample(200);
  expect([delay.read(), delay.read()]).toEqual([200, 200]);
});

test('a sample that comes early is no delay', () => {
  start();
  sample(-5);
  expect(delay.read()).toBe(0);
});

test('a closed one samples nothing more', () => {
  delay.close();
  expect(jest.getTimerCount()).toBe(0);
});
