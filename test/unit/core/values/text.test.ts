import { expect, test } from '@jest/globals';
import { isPlain, lineOfText, providerText, saleTitle } from '#core/values/text.js';

const short = lineOfText({ charactersMax: 3, bytesMax: 12 });
const errorOf = (text: string) => short.safeParse(text).error?.issues.map(({ message }) => message);

test('a line loses the spaces at its ends, and gets one spelling', () => {
  expect(short.parse('  e\u0301\u3000')).toBe('é');
  expect(saleTitle.parse('Lamp, first edition')).toBe('Lamp, first edition');
});

test.each([
  ['a', undefined],
  ['abc', undefined],
  ['🇭🇺', undefined],
  ['!', undefined],
  ['+', undefined],
  ['1', undefined],
  ['abcd', ['must have 1 to 3 characters']],
  ['', ['must have a character that can be seen']],
  [' ', ['must have a character that can be seen']],
  ['\u200D', ['must have a character that can be seen']],
  ['\u0301', ['must have a character that can be seen']],
  ['\u3164'.repeat(4), ['must have a character that can be seen']],
  ['🪔🪔🪔', undefined],
  ['🪔🪔🪔a', ['must have at most 12 bytes']],
  ['👨‍👩‍👧', ['must have at most 12 bytes']],
])('a line of text, %j, has the mistakes %j', (text, mistakes) => {
  expect(errorOf(text)).toEqual(mistakes);
});

test.each([
  ['\0', '0000'],
  ['\n', '000A'],
  ['\u0085', '0085'],
  ['\u2028', '2028'],
  ['\u2029', '2029'],
  ['\u202A', '202A'],
  ['\u202E', '202E'],
  ['\u2066', '2066'],
  ['\u2069', '2069'],
  ['\uFEFF', 'FEFF'],
  ['\uFFFE', 'FFFE'],
  ['\uD83D', 'D83D'],
  ['\u{1FFFF}', '1FFFF'],
])('the character %j is named as U+%s, and is in no text', (character, code) => {
  const text = `a${character}b`;
  expect(errorOf(text)).toEqual([`must not have the character U+${code}, which is invisible or misleading`]);
  expect([isPlain(text), providerText.safeParse(text).success]).toEqual([false, false]);
});

test('the neighbours of misleading characters are plain', () => {
  expect(isPlain('\u2027\u202F\u2065\u206A\uFF00 é🪔')).toBe(true);
});

test('a title has up to 200 characters and 8,192 bytes', () => {
  expect(saleTitle.safeParse('x'.repeat(200)).success).toBe(true);
  expect(saleTitle.safeParse('x'.repeat(201)).success).toBe(false);
  const wide = `z${'\u0335'.repeat(4_095)}`;
  expect(saleTitle.safeParse(wide).success).toBe(true);
  expect(saleTitle.safeParse(`${wide}z`).success).toBe(true);
  expect(saleTitle.safeParse(`${wide}zz`).success).toBe(false);
});

test('a text of a provider has 1 to 255 characters, and is kept as it is', () => {
  expect(providerText.parse(' e\u0301 ')).toBe(' e\u0301 ');
  expect(providerText.safeParse('').success).toBe(false);
  expect(providerText.safeParse('x'.repeat(255)).success).toBe(true);
  expect(providerText.safeParse('x'.repeat(256)).success).toBe(false);
});
