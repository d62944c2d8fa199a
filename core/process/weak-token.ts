/** The fewest characters of a token that opens a door: 16 hexadecimal digits are 64 random bits. */
const LENGTH_MIN = 16;

/**
 * The fewest different characters of such a token. Of all random tokens of 32 hexadecimal digits, one in 27 million has
 * fewer. A key that is held down, or a pattern of few keys, has fewer as well.
 */
const DIFFERENT_MIN = 8;

/** The demand on a token, for error texts. */
export const STRONG_TOKEN = `at least ${LENGTH_MIN} characters, ${DIFFERENT_MIN} of them different`;

/**
 * Tells whether a token is plainly guessable: too short, or of too few different characters. A token that passes may
 * still be guessable, if a person made it up.
 */
export function isWeakToken(token: string): boolean {
  return token.length < LENGTH_MIN || new Set(token).size < DIFFERENT_MIN;
}
