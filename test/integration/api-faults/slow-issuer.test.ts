import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Issuer } from '#core/identity/issuer.js';
import { DAY_MS } from '#core/rules/clock.js';
import { eventually } from '../../support/eventually.js';
import { AUDIENCE } from '../../support/http/issuer.js';
import { signingKey, signToken } from '../../support/http/signing-key.js';

/** The shortest pause between two readings of the keys, in ms. */
const PAUSE_MS = 500;

const [old, next] = [signingKey('old'), signingKey('next')];

let send = () => {};
const sent = new Promise<void>(resolve => {
  send = resolve;
});
const server = createServer(async (_req, res) => {
  await sent;
  res.writeHead(200, { connection: 'close' }).end(JSON.stringify({ keys: [old.jwk] }));
});

afterEach(() => once(server.close(), 'close'));

test('a key that an issuer publishes while its list is on its way is looked up again, and not refused', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const name = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const rules = { issuer: name, audience: AUDIENCE, buyerClaim: 'sub', lifeMaxMs: DAY_MS };
  const beganAtMs = performance.now();
  const issuer = new Issuer({ url: name, ...rules }, { readEveryMs: DAY_MS, pauseMs: PAUSE_MS });
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const tokenOf = (key: typeof old) => signToken(key, { iss: name, aud: AUDIENCE, sub: 'ann', exp });
  try {
    await eventually(() => expect(performance.now() - beganAtMs).toBeGreaterThan(PAUSE_MS));
    send();
    await eventually(() => expect(issuer.ready).toBe(true));
    expect(issuer.verify(tokenOf(old))).toMatchObject({ kind: 'buyer' });
    expect(() => issuer.verify(tokenOf(next))).toThrow(/being read/);
  } finally {
    issuer.close();
  }
});
