import { type ChallengeKey, challengeKey } from '#core/identity/challenge.js';
import { Issuer } from '#core/identity/issuer.js';
import { type PassKey, passKey } from '#core/identity/pass.js';
import { type ReceiptKey, receiptKey } from '#core/identity/receipt.js';
import { createBuyerVerifier, type TokenRules, type TokenVerifier } from '#core/identity/token.js';
import { allOrNone, type Config } from '#core/process/config.js';
import { DAY_MS } from '#core/rules/clock.js';

/** The settings by which an API process tells buyers apart. */
export const IDENTITY_SETTINGS = [
  'AUTH_SECRET',
  'AUTH_SECRET_OTHER',
  'AUTH_JWKS_URL',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'AUTH_BUYER_CLAIM',
  'AUTH_LIFE_MAX_DAYS',
] as const;

type IdentityConfig = Config<(typeof IDENTITY_SETTINGS)[number]>;

/** The parts of an API process that tell buyers apart. */
export interface Identity {
  /** Throws the Problem `unavailable` while the issuer's keys that a token needs are not read yet. */
  readonly verifyToken: TokenVerifier;
  /** The shop's own issuer of buyers' tokens, if the settings name one. */
  readonly issuer: Issuer | undefined;
  /** The key that signs receipts, the signed proofs of claims. */
  readonly receiptKey: ReceiptKey;
  /** The keys that verify receipts: two while AUTH_SECRET is rotated. */
  readonly receiptKeys: readonly ReceiptKey[];
  /** The keys of passes. The first one signs; while AUTH_SECRET is rotated, a second one verifies. */
  readonly passKeys: readonly PassKey[];
  /** The keys of the challenges that a pass costs, in the same way. */
  readonly challengeKeys: readonly ChallengeKey[];
}

/**
 * Creates what tells buyers apart. Tokens of the shop's issuer are valid, and tokens signed with AUTH_SECRET, which
 * guests and the command `cli token` get. While AUTH_SECRET is rotated, AUTH_SECRET_OTHER is accepted, too, and signs
 * nothing.
 *
 * @throws ConfigError for settings that contradict each other
 */
export function createIdentity(config: IdentityConfig): Identity {
  const { AUTH_SECRET, AUTH_SECRET_OTHER, AUTH_AUDIENCE: audience, AUTH_LIFE_MAX_DAYS: days } = config;
  const secrets = AUTH_SECRET_OTHER === undefined ? [AUTH_SECRET] : [AUTH_SECRET, AUTH_SECRET_OTHER];
  const rules = { audience, lifeMaxMs: days * DAY_MS };
  const verifyOwn = createBuyerVerifier(secrets, rules);
  const issuer = issuerOf(config, rules);
  return {
    verifyToken: issuer ? token => issuer.verify(token) ?? verifyOwn(token) : verifyOwn,
    issuer,
    receiptKey: receiptKey(AUTH_SECRET),
    receiptKeys: secrets.map(receiptKey),
    passKeys: secrets.map(passKey),
    challengeKeys: secrets.map(challengeKey),
  };
}

/** Returns the shop's issuer, if one is set. AUTH_AUDIENCE alone sets none, as it also serves the shared secret. */
function issuerOf(config: IdentityConfig, { lifeMaxMs }: TokenRules): Issuer | undefined {
  const isSet = config.AUTH_JWKS_URL !== undefined || config.AUTH_ISSUER !== undefined;
  const given = isSet && allOrNone(config, ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE']);
  if (!given) return undefined;
  const { AUTH_JWKS_URL: url, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = given;
  return new Issuer({ url, issuer, audience, buyerClaim: config.AUTH_BUYER_CLAIM, lifeMaxMs });
}
