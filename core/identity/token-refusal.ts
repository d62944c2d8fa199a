/**
 * Why a request names no buyer, by a word that stays the same, with the advice for the client. The `detail` of the 401
 * is `word: advice`. None of them says anything about the secret or the expected values.
 */
export const TOKEN_REFUSALS = {
  missing: 'send a token in the header `Authorization: Bearer …` or in the cookie `dropline_token`',
  scheme: 'the header `Authorization` must be `Bearer`, a space and the token',
  malformed: 'the token is not a JSON Web Token, or one of its times is no number of seconds',
  algorithm: 'the token is signed with an algorithm that is not accepted',
  unknown_key: 'the issuer publishes no key with the `kid` of the token',
  signature: 'the token is signed with another key',
  critical: 'the token has a critical header (`crit`), and none is supported',
  expired: 'the `exp` of the token has passed',
  not_yet_valid: 'the `nbf` of the token has not come',
  no_expiry: 'the token has no `exp`',
  lives_too_long: 'the token lives longer than the setting AUTH_LIFE_MAX_DAYS allows',
  issuer: 'the `iss` of the token is not the setting AUTH_ISSUER',
  audience: 'the `aud` of the token is not the setting AUTH_AUDIENCE',
  no_buyer: 'the token lacks the claim that names the buyer',
  buyer_form: 'the claim that names the buyer must be a text of 1 to 255 printable ASCII characters without spaces',
  group_form: 'the claim `dropline_group` must be a text of 1 to 64 letters, digits, `_` and `-`',
  unverified_email: 'the issuer has not verified the mail address (`email_verified`)',
} as const;

/** Why a request names no buyer: a word that stays the same. */
export type TokenRefusal = keyof typeof TOKEN_REFUSALS;

/** The buyer whom a valid token names, with the group, such as a household, if the shop has put one into the token. */
export interface TokenBuyer {
  readonly kind: 'buyer';
  readonly buyerId: string;
  readonly group?: string;
}

/** The outcome of verifying a token: its buyer, or why it names none. */
export type TokenVerdict = TokenBuyer | { readonly kind: 'refused'; readonly reason: TokenRefusal };
