import { expect, test } from '@jest/globals';
import type { Request } from 'express';
import { createBuyerVerifier, issueToken } from '#core/identity/token.js';
import { guestToken } from '../../../../apps/api/routes/guest-token.js';

const SECRET = 'a secret of at least 32 characters.';
const RULES = { audience: undefined, lifeMaxMs: 2 * 86_400_000 };

/** Asks for a guest's token with the token of a buyer in the cookie. */
async function askAs(name: string) {
  const token = issueToken(SECRET, name, { lifeMs: 60_000 });
  const parts = { config: { AUTH_SECRET: SECRET }, verifyToken: createBuyerVerifier([SECRET], RULES) };
  const headers = { cookie: `dropline_token=${token}` };
  const { body, headers: sent } = await guestToken.answer(parts, { headers, params: {}, query: {} } as Request);
  return { isSame: (body as { token: string }).token === token, cookie: sent?.['set-cookie'] };
}

const GUEST = 'guest-018f0000-0000-4000-8000-000000000000';

test('a guest gets another token, and stays the same buyer', async () => {
  expect(await askAs(GUEST)).toEqual({ isSame: false, cookie: expect.stringContaining('dropline_token=') });
});

test.each([`a-${GUEST}`, `${GUEST}-a`, `${GUEST}0`, GUEST.slice(0, -1), 'guest-ann'])(
  'a buyer of the shop by the name %s keeps the token, although the name has a form like that of a guest',
  async name => {
    expect(await askAs(name)).toEqual({ isSame: true, cookie: undefined });
  },
);
