import { expect, test } from '@jest/globals';
import { issueToken } from '#core/identity/token.js';
import { markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { bearer, SECRET, useApi } from '../../support/http/api.js';
import { oddRequests } from '../../support/http/odd-requests.js';
import { wrongAnswers } from '../../support/http/wrong-answers.js';

// Every route is called with every method, several credentials and invalid ids. Each call gets an answer in time, and
// errors have a stable code.

const api = useApi({ GUEST_TOKENS: true, PAYMENT_WEBHOOK_SECRETS: ['a key of the provider'] });

const BUYER = ['/buy/', '/order-status/', '/pay/', '/cancel/'];
const PUBLIC = [
  '/sales/',
  '/s/',
  '/webhooks/payments/',
  '/assets/',
  '/guest-token',
  '/openapi.json',
  '/nothing/',
  '//buy/',
  '/',
];

test.each([...BUYER, ...PUBLIC])('%s answers every odd request', async route => {
  await markRegistryWhole(api.redis, await readRunId(api.redis));
  const { authorization: good = '' } = bearer('ann');
  const expired = `Bearer ${issueToken(SECRET, 'ann', { lifeMs: 1 })}`;
  const unsigned = `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`;
  const credentials = BUYER.includes(route) ? [good, expired, unsigned, 'Bearer \t', ''] : [good, ''];
  expect(await wrongAnswers(api.port, oddRequests([route], credentials))).toEqual([]);
});
