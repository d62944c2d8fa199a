import { createHmac } from 'node:crypto';
import { issueToken } from '#core/identity/token.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Random } from '../../chaos/workload/random.js';

/** The secrets of the processes under test. */
export interface Secrets {
  authSecret: string;
  adminToken: string;
  webhookSecret: string;
  /** The cookie of a browser in which an operator is logged in: `name=value`. */
  operatorCookie: string;
}

/** Enough buyers that few of them meet a limit of their own. */
const BUYERS = 5_000;
const LIFE_SECONDS = 600;

const json64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const inSeconds = (seconds: number): number => Math.floor(Date.now() / SECOND_MS) + seconds;

/** Signs any claims, so that a token can be wrong in one way only. */
function sign(secret: string, claims: object, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const text = `${json64(header)}.${json64(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Tokens that are no good, each for another reason. */
const WRONG: readonly ((secrets: Secrets, sub: string) => string)[] = [
  () => '',
  () => 'a.b.c',
  () => '..',
  () => '\xff'.repeat(50),
  () => 'x'.repeat(7_000),
  () => `${json64({ alg: 'HS256' })}.${json64('a text')}.x`,
  () => `${json64([])}.${json64([])}.`,
  (_secrets, sub) => issueToken('another secret of 32 characters..', sub),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: inSeconds(-60) }),
  ({ authSecret }, sub) => sign(authSecret, { sub }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: 'never' }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: 1e300 }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: inSeconds(LIFE_SECONDS), nbf: inSeconds(LIFE_SECONDS) }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: inSeconds(LIFE_SECONDS), aud: ['password-reset', null] }),
  ({ authSecret }) => sign(authSecret, { sub: { $ne: 1 }, exp: inSeconds(LIFE_SECONDS) }),
  ({ authSecret }) => sign(authSecret, { sub: '\u0000', exp: inSeconds(LIFE_SECONDS) }),
  ({ authSecret }) => sign(authSecret, { sub: '__proto__', exp: inSeconds(LIFE_SECONDS) }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: inSeconds(LIFE_SECONDS) }, { alg: 'none' }),
  ({ authSecret }, sub) =>
    sign(authSecret, { sub, exp: inSeconds(LIFE_SECONDS) }, { alg: 'RS256', kid: '../../etc/passwd' }),
  ({ authSecret }, sub) => sign(authSecret, { sub, exp: inSeconds(LIFE_SECONDS) }, { alg: 'HS256', crit: ['x'], x: 1 }),
  ({ adminToken }) => adminToken,
];

/** Returns the headers with which a request says that it is a buyer's: mostly a good token. */
export function buyerCredential(random: Random, secrets: Secrets): string[] {
  const sub = `buyer-${random.between(1, BUYERS)}`;
  if (random.chance(0.1)) return [];
  const token = random.chance(0.6) ? issueToken(secrets.authSecret, sub) : random.pick(WRONG)(secrets, sub);
  return random.pick([
    [`Authorization: Bearer ${token}`],
    [`Authorization: Bearer ${token}`],
    [`authorization:bearer   ${token}  `],
    [`Authorization: Basic ${token}`],
    [`Authorization: Bearer ${token}`, 'Authorization: Bearer x'],
    [`Cookie: dropline_token=${token}`, 'Sec-Fetch-Site: same-origin'],
    [`Cookie: dropline_token=${encodeURIComponent(token)}; dropline_token=x`],
  ]);
}

/** Returns the headers with which a request says that it is an operator's: half of them are right. */
export function adminCredential(random: Random, secrets: Secrets): string[] {
  if (random.chance(0.5)) {
    return random.pick([
      [`Authorization: Bearer ${secrets.adminToken}`],
      [`Cookie: ${secrets.operatorCookie}`, 'Sec-Fetch-Site: same-origin'],
    ]);
  }
  if (random.chance(0.2)) return [];
  const token = random.pick(WRONG)(secrets, 'operator').replace(secrets.adminToken, 'not the token');
  return random.pick([
    [`Authorization: Bearer ${token}`],
    [`Authorization: Basic ${token}`],
    [`Cookie: ${secrets.operatorCookie.split('=')[0]}=${token}`],
    [`Cookie: ${secrets.operatorCookie}x; ${secrets.operatorCookie.split('=')[0]}=%zz`],
    [`Cookie: ${secrets.operatorCookie}`, 'Origin: https://evil.example'],
  ]);
}
