import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { QUEUE_PREFIX } from '#core/queue/queues.js';
import { eventually } from '../support/eventually.js';
import { useStage } from './rig/stage.js';

// A worker is paused while it places a claim, for longer than its lock lasts. SIGSTOP stands for a suspended machine or a blocked
// event loop. Another worker takes the work over. Then the paused worker resumes, and does the same work.

const s = useStage({
  environment: name => (name === 'worker-1' ? { NODE_ENV: 'test', DROPLINE_CRASH_AT: 'place.store:pause:1' } : {}),
});

const UNITS = 12;

/** A lock lasts 15 s, and workers look for expired locks every 5 s. */
const TAKEN_OVER_MS = 30_000;

function isStopped(pid: number | undefined): boolean {
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function becomes(saleId: string, buyerId: string, status: string): Promise<void> {
  await eventually(async () => {
    expect(await s.client.ask('order-status', saleId, buyerId)).toMatchObject({ status });
  }, TAKEN_OVER_MS);
}

async function locks(): Promise<number> {
  return (await s.connections.redis.keys(`${QUEUE_PREFIX}:place-waiting:*:lock`)).length;
}

test('a worker that resumes after its work was done, and after the unit was sold again, changes nothing', async () => {
  const { id } = await s.open({ units: UNITS, payWithinSeconds: 60 });
  const sleeper = s.node('worker-1');
  const buyers: string[] = [];
  await eventually(async () => {
    const buyerId = `buyer-${buyers.length + 1}`;
    buyers.push(buyerId);
    expect(await s.client.ask('buy', id, buyerId)).toMatchObject({ http: 202, status: 'queued' });
    await eventually(() => expect(isStopped(sleeper.pid())).toBe(true), 300);
  });
  const held = buyers.at(-1) ?? '';
  expect(await s.client.ask('order-status', id, held)).toMatchObject({ status: 'queued' });

  await becomes(id, held, 'pending_payment');
  await eventually(async () => expect(await locks()).toBe(0), TAKEN_OVER_MS);
  await s.client.ask('cancel', id, held);
  await becomes(id, held, 'cancelled');
  const others = Array.from({ length: UNITS - buyers.length + 1 }, (_, i) => `other-${i + 1}`);
  for (const buyerId of others) {
    expect(await s.client.ask('buy', id, buyerId)).toMatchObject({ http: 202, status: 'queued' });
    await becomes(id, buyerId, 'pending_payment');
  }

  process.kill(sleeper.pid() ?? Number.NaN, 'SIGCONT');
  await s.node('worker-2').kill();
  // The worker does new work, so it has finished the old work before.
  const [first = '', ...rest] = others;
  await s.client.ask('cancel', id, first);
  await becomes(id, first, 'cancelled');
  await s.client.ask('buy', id, 'last');
  await becomes(id, 'last', 'pending_payment');
  for (const buyerId of [...buyers.slice(0, -1), ...rest, 'last']) await s.client.ask('cancel', id, buyerId);
  await s.node('worker-2').revive();
  await s.expectAllKept({ redisLostData: false });
}, 120_000);
