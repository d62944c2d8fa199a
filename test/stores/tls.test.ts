import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis as AnyRedis } from 'ioredis';
import { readConfig } from '#core/process/config.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { REDIS_SETTINGS } from '#core/redis/server/target.js';
import { createBuyerPlans, startCrowd } from '#stack/crowd/crowd.js';
import { freePort } from '#stack/processes/free-port.js';
import { type Certificate, createAuthority } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { expectProof } from '../support/rush.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// Redis behind TLS, with a CA of one's own, certificates of the clients, and a name that is not its address.

const READY_MS = 30_000;
const NAME = 'redis.internal';
const PRICE_MINOR = 500;

/** The settings of all processes, which are known once Redis runs. */
const env: Record<string, string> = {};
let stack: TestStack;
let whole: Record<string, string>;
let stranger: Certificate;
let opened: Redis[] = [];

/** Makes Redis listen with TLS on a second port, and returns this port. */
async function addTls(url: string, folder: string): Promise<number> {
  const authority = createAuthority(join(folder, 'authority'));
  const [server, client, port] = [authority.sign(NAME), authority.sign('dropline'), await freePort()];
  const redis = new AnyRedis(url);
  const files = [
    'tls-ca-cert-file',
    authority.caFile,
    'tls-cert-file',
    server.certFile,
    'tls-key-file',
    server.keyFile,
  ];
  await redis.call('CONFIG', 'SET', ...files, 'tls-auth-clients', 'yes', 'tls-port', String(port));
  redis.disconnect();
  whole = {
    REDIS_URL: `rediss://127.0.0.1:${port}`,
    REDIS_CACERT: authority.ca,
    REDIS_CERT: client.cert,
    REDIS_KEY: client.key,
    REDIS_SNI: NAME,
  };
  Object.assign(env, { REDIS_CACERT_FILE: authority.caFile, REDIS_SNI: NAME });
  Object.assign(env, { REDIS_CERT_FILE: client.certFile, REDIS_KEY_FILE: client.keyFile });
  return port;
}

beforeAll(async () => {
  stack = await startTestStack({
    apis: 2,
    env,
    async urls({ redisUrl, databaseUrl, folder }) {
      return { redisUrl: `rediss://127.0.0.1:${await addTls(redisUrl, folder)}`, databaseUrl };
    },
  });
  stranger = createAuthority(join(stack.stores.folder, 'stranger')).sign('stranger');
}, 120_000);
afterEach(() => {
  for (const redis of opened) redis.disconnect();
  opened = [];
});
afterAll(() => stack?.stop());

function open(changes: Record<string, string>): { redis: Redis; errors: Error[] } {
  const errors: Error[] = [];
  const redis = connectRedis(readConfig(REDIS_SETTINGS, { ...whole, ...changes }), 'api', error => errors.push(error));
  opened.push(redis);
  return { redis, errors };
}

test('with the CA, a certificate and the name, Redis answers', async () => {
  const { redis } = open({});
  await waitUntilReady(redis, READY_MS);
  expect(await redis.ping()).toBe('PONG');
});

test.each([
  ['without the CA', () => ({ REDIS_CACERT: '' }), /self-signed certificate|unable to verify/],
  ['without the name in the certificate', () => ({ REDIS_SNI: '' }), /does not match certificate/],
  ['without a certificate of its own', () => ({ REDIS_CERT: '', REDIS_KEY: '' }), /certificate required|closed|alert/],
  [
    'with a certificate of another CA',
    () => ({ REDIS_CERT: stranger.cert, REDIS_KEY: stranger.key }),
    /unknown ca|alert|closed/,
  ],
] as const)('%s, a connection is refused and says why', async (_, changes, why) => {
  const { redis, errors } = open(changes());
  await eventually(() => expect(errors.map(({ message }) => message).join()).toMatch(why));
  expect(redis.status).not.toBe('ready');
});

test('a crowd buys through TLS', async () => {
  const saleId = await stack.createSale({ units: 40, priceMinor: PRICE_MINOR, payWithinSeconds: 20 });
  const plans = createBuyerPlans({ buyers: 120, prefix: 'b-', clicksMax: 2, payShare: 0.5, others: 'cancel' });
  const buyerIds = plans.map(({ buyerId }) => buyerId);
  await stack.credit(buyerIds, PRICE_MINOR);
  const { baseUrls, authSecret } = stack;
  const crowd = startCrowd({ baseUrls, saleId, authSecret, plans, arriveWithinMs: 0, patienceMs: 60_000 });
  const { reckoning } = await expectProof(stack, saleId, (await crowd.finished).buyers);
  expect(reckoning.paid).toBe(40);
  const clients = String(await stack.connections.redis.client('LIST'));
  const plain = clients
    .split('\n')
    .filter(line => line.includes('addr=') && line.includes(`laddr=127.0.0.1:${stack.stores.redis.port}`));
  // Only the test itself connects without TLS.
  expect(plain.length).toBeLessThanOrEqual(2);
});
