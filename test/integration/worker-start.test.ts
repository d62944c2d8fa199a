import { createServer } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { build } from '../support/build.js';
import { run } from '../support/command.js';
import { useStores } from '../support/stores/stores.js';

// A worker that can't start says why in one line, and ends.

const t = useStores();
beforeAll(build);

async function startedWith(settings: Record<string, string>): Promise<string> {
  const stores = { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl };
  const { exitCode, stderr } = await run('apps/worker/main', [], { ...stores, ...settings });
  expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 1, lines: 1 });
  return stderr;
}

test('a wrong setting', async () => {
  expect(await startedWith({ METRICS_PORT: 'many' })).toMatch(/^worker: METRICS_PORT /);
});

test('a provider without its key', async () => {
  const url = 'https://provider.example';
  expect(await startedWith({ PAYMENT_PROVIDER_URL: url })).toMatch(/^worker: .*PAYMENT_PROVIDER_KEY/);
});

test('a port that is taken', async () => {
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  expect(await startedWith({ METRICS_PORT: String(port), METRICS_HOST: '127.0.0.1' })).toMatch(/^worker: .*EADDRINUSE/);
  taken.close();
});

test('a Redis that evicts keys', async () => {
  const policyOf = (policy: string) => t.redis.config('SET', 'maxmemory-policy', policy);
  await policyOf('allkeys-lru');
  expect(await startedWith({})).toMatch(/^worker: .*noeviction/);
  await policyOf('noeviction');
});
