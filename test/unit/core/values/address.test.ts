import { expect, test } from '@jest/globals';
import { baseAddress, calledAddress, hostNames, isAddressText, pageAddress } from '#core/values/address.js';

const EXAMPLE = 'https://shop.example';
const kinds = { page: pageAddress, called: calledAddress(EXAMPLE), base: baseAddress(EXAMPLE) };
type Kind = keyof typeof kinds;

/** Lists the kinds of address that a text may be. */
const kindsOf = (text: string) =>
  (Object.keys(kinds) as Kind[]).filter(kind => kinds[kind].safeParse(text).success).join(' ');
const errorOf = (kind: Kind, text: string) => kinds[kind].safeParse(text).error?.issues.map(({ message }) => message);

test.each([
  ['http://shop.example', 'page called base'],
  ['https://shop.example:8443/hooks/', 'page called base'],
  ['http://[::1]:3000', 'page called base'],
  ['https://shop.example/?a=1', 'page called'],
  ['https://shop.example/?', 'page called'],
  ['https://shop.example/#a', 'page'],
  ['https://shop.example/#', 'page'],
  ['https://ada@shop.example', ''],
  ['https://:secret@shop.example', ''],
  ['https://ada:secret@shop.example', ''],
  ['ftp://shop.example', ''],
  ['xhttp://shop.example', ''],
  ['httpx://shop.example', ''],
  ['javascript:alert(1)', ''],
  ['shop.example', ''],
  ['https://', ''],
  ['', ''],
  [' https://shop.example', ''],
  ['https://shop.example/a b', ''],
  ['https://shop.example/a\nb', ''],
  ['https://shop.example/a\u00A0b', ''],
  ['https://shop.example/\u202E', ''],
])('the text %j is an address of the kinds: %s', (text, expected) => {
  expect(kindsOf(text)).toBe(expected);
});

test('an address has at most 8,192 characters', () => {
  const longest = 'https://shop.example/'.padEnd(8_192, 'a');
  expect([isAddressText(longest), isAddressText(`${longest}a`)]).toEqual([true, false]);
  expect([kindsOf(longest), kindsOf(`${longest}a`)]).toEqual(['page called base', '']);
});

test('one message says what is wrong, and never shows the address', () => {
  const wrong: [Kind, string][] = [
    ['base', 'secret'],
    ['base', 'https://ada:secret@shop.example/?secret#secret'],
    ['base', 'https://shop.example/?secret#secret'],
    ['base', 'https://shop.example/?secret'],
  ];
  const messages = wrong.map(([kind, text]) => errorOf(kind, text) ?? []);
  expect(messages.map(list => list.length)).toEqual([1, 1, 1, 1]);
  expect(new Set(messages.flat()).size).toBe(4);
  expect(messages.flat().filter(message => message.includes('secret') || !message.includes(EXAMPLE))).toEqual([]);
});

test('the mistakes of pages and of hosts have examples', () => {
  expect(errorOf('page', 'x')).toEqual(['must be a URL like https://pay.example/p/1']);
  const message = 'must be host names like console.shop.example, without a port';
  expect(hostNames.safeParse('a:80').error?.issues.map(issue => issue.message)).toEqual([message]);
});

test('names of hosts are read between commas, in lower case', () => {
  expect(hostNames.parse('Shop.Example, a-1.example,localhost')).toEqual(['shop.example', 'a-1.example', 'localhost']);
});

test.each(['', 'a,', 'shop.example:80', 'https://shop.example', 'a b', 'shop_example', 'é.example'])(
  'the text %j names no hosts',
  text => {
    expect(hostNames.safeParse(text).success).toBe(false);
  },
);
