import { createServer } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { build } from '../support/build.js';
import { run } from '../support/command.js';
import { useStores } from '../support/stores/stores.js';

// A worker that can't start prints the cause in one line, and ends.

const t = useStores();
beforeAll(build);

/** Starts a worker that must fail, and returns its error output. */
async function errorWith(settings: Record<string, string>): Promise<string> {
  const stores = { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl };
  const { exitCode, stderr } = await run('apps/worker/main', [], { ...stores, ...settings });
  expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 1, lines: 1 });
  return stderr;
}

test('a worker does not start with a wrong setting', async () => {
  expect(await errorWith({ METRICS_PORT: 'many' })).toMatch(/^worker: METRICS_PORT /);
});

test('a worker does not start with a provider but without its key', async () => {
  const url = 'https://provider.example';
  expect(await errorWith({ PAYMENT_PROVIDER_URL: url })).toMatch(/^worker: .*PAYMENT_PROVIDER_KEY/);
});

test('a worker does not start on a port in use', async () => {
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  expect(await errorWith({ METRICS_PORT: String(port), METRICS_HOST: '127.0.0.1' })).toMatch(/^worker: .*EADDRINUSE/);
  taken.close();
});

test('a worker does not start on a Redis that evicts keys', async () => {
  const policyOf = (policy: string) => t.redis.config('SET', 'maxmemory-policy', policy);
  await policyOf('allkeys-lru');
  expect(await errorWith({})).toMatch(/^worker: .*noeviction/);
  await policyOf('noeviction');
});
