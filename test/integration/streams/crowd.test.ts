import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { setSale } from '#core/redis/sale/sale.js';
import { SaleWaiters } from '../../../apps/api/waiting/sale-waiters.js';
import { eventually } from '../../support/eventually.js';
import { useApi } from '../../support/http/api.js';
import type { TestStream } from '../../support/http/stream.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';

const api = useApi();

// Without the reads that every stream makes every 5 s, only news makes it read.
beforeAll(() => {
  jest.spyOn(SaleWaiters.prototype, 'wakeTick').mockReturnValue(undefined);
});
afterAll(() => void jest.restoreAllMocks());

const STREAMS = 150;
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

test('a crowd of streams shares one timer, and the reads that tell it of the close of its sale', async () => {
  const sale = await api.open({ units: 1, standbyFactor: STREAMS });
  await api.win(sale, 'first');
  const buyers = Array.from({ length: STREAMS }, (_, i) => `buyer-${i}`);
  await Promise.all(buyers.map(buyerId => api.post(`/buy/${sale.id}`, buyerId)));
  const before = timers();
  const streams: TestStream[] = buyers.map(buyerId => api.stream(sale, buyerId, { connection: 'keep-alive' }));
  await eventually(() => expect(streams.filter(stream => stream.events().length === 1)).toHaveLength(STREAMS));
  // Redis's clients and this test's own waiting have a few of their own.
  expect(timers() - before).toBeLessThan(STREAMS / 10);
  const calls = await readCommandCalls(api.redis);
  await setSale(api.redis, sale.id, { state: 'closed' });
  await eventually(() => expect(streams.filter(({ seen }) => seen.ended)).toHaveLength(STREAMS));
  for (const stream of streams) expect(stream.events().at(-1)).toEqual({ status: 'closed' });
  const more = await readCommandCalls(api.redis);
  const during = (command: string) => (more[command] ?? 0) - (calls[command] ?? 0);
  // The command that closes the sale is a script, too. The sale itself is read once for all.
  expect(during('evalsha') + during('eval')).toBeLessThan(STREAMS / 10);
  expect(during('hgetall')).toBeLessThan(STREAMS / 10);
  expect(api.ctx.waiters.count()).toBe(0);
});
