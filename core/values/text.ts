import { z } from 'zod';

/**
 * Characters that no text may have. Control characters and separators of lines falsify logs and tables, and Postgres
 * stores no NUL. Half of a surrogate pair becomes another character in every store, so two texts could become one. The
 * characters that change the direction of what follows (U+202A to U+202E, U+2066 to U+2069) make a text look like
 * another one. Noncharacters and the byte order mark mean nothing.
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\uFEFF]/u;

/** A character that can be seen. Spaces, joiners and marks alone leave a line blank. */
const VISIBLE = /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}\p{P}\p{S}]/u;

/** Counts what people call characters, so that a flag or a family is one. The locale makes no difference for these. */
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The bounds of a text for people. A single character may have any number of bytes, so both are needed. */
interface TextBounds {
  /** The most characters, as people count them. */
  charactersMax: number;
  /** The most bytes in UTF-8. */
  bytesMax: number;
}

/**
 * Creates the validator of a line of text that people write and read, in any script. Spaces at its ends are dropped, and
 * equal texts get one spelling (Unicode's form C).
 */
export function lineOfText({ charactersMax, bytesMax }: TextBounds) {
  return z
    .string()
    .refine(isPlain, {
      error: ({ input }) => `must not have the character ${codeOf(String(input))}, which is invisible or misleading`,
      abort: true,
    })
    .transform(text => text.trim().normalize('NFC'))
    .refine(text => VISIBLE.test(text), { error: 'must have a character that can be seen', abort: true })
    .refine(text => Buffer.byteLength(text) <= bytesMax, { error: `must have at most ${bytesMax} bytes`, abort: true })
    .refine(text => [...SEGMENTER.segment(text)].length <= charactersMax, `must have 1 to ${charactersMax} characters`);
}

function codeOf(text: string): string {
  const code = FORBIDDEN.exec(text)?.[0].codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Validates the title of a sale. 200 emoji of the largest kind have more than 7,000 bytes. */
export const saleTitle = lineOfText({ charactersMax: 200, bytesMax: 8_192 });

/** Validates the words that name the public value of a draw, so that anybody can find the value and write it in the same way. */
export const valueWords = lineOfText({ charactersMax: 500, bytesMax: 4_096 });

/** Validates the public value of a draw. Its bytes decide the order, so it is no longer than people can compare. */
export const publicValue = lineOfText({ charactersMax: 256, bytesMax: 1_024 });

/** Validates a text that a payment provider chooses, such as the id of an event. It is kept as it is. */
export const providerText = z.string().min(1).max(255).refine(isPlain);

/** Tells whether a text has only characters that show what it is: no control characters, no halves of characters. */
export function isPlain(text: string): boolean {
  return !FORBIDDEN.test(text);
}
