import { describe, expect, test } from '@jest/globals';
import { createSignedWebhook } from '#core/payments/signed-webhook.js';
import { ConfigError, readConfig, type SettingName } from '#core/process/config.js';
import { run } from '../../support/command.js';
import { startAnsweringServer } from './answering-server.js';

// Addresses at every entrance: the settings, and the page for paying that a provider names.

/** The settings that hold an HTTP address which a process calls. */
const CALLED: SettingName[] = ['SHOP_WEBHOOK_URL', 'PAYMENT_PROVIDER_URL', 'AUTH_JWKS_URL'];

const GOOD = [
  'https://shop.example/hooks',
  'http://127.0.0.1:8080',
  'http://[::1]:8080/a/',
  'HTTPS://Shop.Example/a%20b',
  'https://bücher.example/',
  `https://shop.example/${'x'.repeat(8_000)}`,
];

/** A secret that no message may show. */
const SECRET = 'hunter2-canary';
const NO_USER = /^\w+ must be a URL without a user and a password, like https:\S+ \(see \.env\.example\)$/;
const NO_URL = /^\w+ must be a URL like https:\S+ \(see \.env\.example\)$/;

const HOSTILE: [address: string, said: RegExp][] = [
  [`https://user:${SECRET}@shop.example/hooks`, NO_USER],
  [`https://${SECRET}@shop.example/hooks`, NO_USER],
  [`https://:${SECRET}@shop.example/hooks`, NO_USER],
  [`https://user:${SECRET}%40x@shop.example`, NO_USER],
  [`https:user:${SECRET}@shop.example`, NO_USER],
  [`https:\\\\user:${SECRET}@shop.example`, NO_USER],
  [`https://shop.example/#${SECRET}`, /^\w+ must be a URL without a #/],
  ['shop.example/hooks', NO_URL],
  ['//shop.example/hooks', NO_URL],
  ['https://', NO_URL],
  ['ftp://shop.example', NO_URL],
  ['file:///etc/passwd', NO_URL],
  ['javascript:alert(1)', NO_URL],
  ['https://shop.example/a b', NO_URL],
  [' https://shop.example', NO_URL],
  ['https://shop.example/\u0000', NO_URL],
  ['https://shop.example/a\nb', NO_URL],
  ['https://sh\u00ADop.example:99999', NO_URL],
  ['https://shop.example/\u202Egpj', NO_URL],
  ['https://shop.example:port', NO_URL],
  [`https://shop.example/${'x'.repeat(9_000)}`, NO_URL],
];

const STORES: [name: SettingName, address: string, accepted: boolean][] = [
  ['REDIS_URL', 'redis://127.0.0.1', true],
  ['REDIS_URL', 'redis://user:pass%40word@redis.example:6379/5', true],
  ['REDIS_URL', 'rediss://redis.example', true],
  ['REDIS_URL', 'redis:///var/run/redis.sock', false],
  ['REDIS_URL', 'redis://redis.example/name', false],
  ['REDIS_URL', 'redis://redis.example/1/2', false],
  ['REDIS_URL', `redis://:${SECRET}@redis.example/\n`, false],
  ['REDIS_URL', `http://:${SECRET}@redis.example`, false],
  ['DATABASE_URL', 'postgres://user:pass%40word@host:5432/dropline', true],
  ['DATABASE_URL', 'postgresql:///drop?host=/run/postgresql', true],
  ['DATABASE_URL', `mysql://u:${SECRET}@h/d`, false],
  ['DATABASE_URL', `postgres://u:${SECRET} x@h/d`, false],
];

/** The most characters of an address in the title of a test. */
const TITLE_MAX = 60;

function titled(addresses: string[]): [title: string, address: string][] {
  return addresses.map(address => [address.slice(0, TITLE_MAX), address]);
}

/** Returns why a setting is refused; undefined if it is accepted. */
function refusalOf(name: SettingName, address: string): string | undefined {
  try {
    readConfig([name], { [name]: address });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

describe('a setting', () => {
  test.each(titled(GOOD))('%s is an address to call', (_, address) => {
    for (const name of CALLED) expect(refusalOf(name, address)).toBeUndefined();
  });

  test.each(HOSTILE.map(([address, said]) => [address.slice(0, TITLE_MAX), address, said] as const))(
    '%j is refused with one line that shows no secret',
    (_, address, said) => {
      for (const name of CALLED) {
        expect(refusalOf(name, address)).toMatch(said);
        expect(refusalOf(name, address)).not.toContain(SECRET);
      }
    },
  );

  test('the base of a provider has no query, as paths are added to it', () => {
    expect(refusalOf('PAYMENT_PROVIDER_URL', 'https://pay.example/?key=1')).toContain('without a ?');
    expect(refusalOf('SHOP_WEBHOOK_URL', 'https://shop.example/?key=1')).toBeUndefined();
  });

  test.each(STORES)('%s: %j is accepted: %s', (name, address, accepted) => {
    expect(refusalOf(name, address) === undefined).toBe(accepted);
    expect(refusalOf(name, address) ?? '').not.toContain(SECRET);
  });

  test('a worker does not start with a password in the address of the shop', async () => {
    const { exitCode, stdout, stderr } = await run('apps/worker/main', [], {
      REDIS_URL: 'redis://127.0.0.1:1',
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      SHOP_WEBHOOK_URL: `https://user:${SECRET}@shop.example/hooks`,
      SHOP_WEBHOOK_SECRET: 'the key of the webhooks to the shop',
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^worker: SHOP_WEBHOOK_URL must be a URL without a user and a password.*\n$/);
  });
});

describe("a provider's page for paying", () => {
  const order = { orderId: crypto.randomUUID(), attempt: 1, saleId: 's', buyerId: 'b', payByMs: Date.now() };

  async function payUrlOf(payUrl: string): Promise<unknown> {
    const server = await startAnsweringServer({ id: 'pi_1', payUrl });
    try {
      const provider = createSignedWebhook({ url: server.url, key: 'key' }, ['the key of the events']);
      return await provider.create({ ...order, amountMinor: 1, currency: 'EUR' });
    } finally {
      server.stop();
    }
  }

  test.each(titled([...GOOD, 'https://pay.example/p/1?a=b#c']))('%s is shown to the buyer', async (_, address) => {
    expect(await payUrlOf(address)).toEqual({ kind: 'open', paymentId: 'pi_1', payUrl: address });
  });

  const REFUSED = HOSTILE.map(([address]) => address).filter(address => !address.includes('#'));
  test.each(titled(REFUSED))('%j is shown to nobody', async (_, address) => {
    await expect(payUrlOf(address)).rejects.not.toThrow(SECRET);
  });
});
