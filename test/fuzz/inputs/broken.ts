import type { Random } from '../../chaos/workload/random.js';

/** Bytes that mean something to an HTTP parser, or to one of its neighbours. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\0',
  '\xff',
  ' ',
  '\t',
  ':',
  ': ',
  '\r\n ',
  '\x0b',
  '\x7f',
  '0\r\n\r\n',
  'ffffffffffffffffff\r\n',
  '-1\r\n',
  '5;a="\n\r\nhello\r\n',
  ' HTTP/1.1\r\n',
  ' HTTP/9.9\r\n',
  'Content-Length: 5\r\n',
  'Content-Length : 5\r\n',
  'Content-Length: 5, 6\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:\x0bchunked\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'Host: x\r\n'.repeat(50),
  'X: y\r\n'.repeat(2_500),
  'x'.repeat(20_000),
];

/** Beginnings of other protocols. */
const STRANGERS = [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  'SSH-2.0-x\r\n',
  '*1\r\n$4\r\nPING\r\n',
  'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n',
  'GET /\r\n',
  'GET /healthz\n\n',
  '\r\n\r\n\r\n',
  '',
];

const CHANGES_MAX = 6;
const NOISE_MAX = 2_000;

type Change = (random: Random, text: string, other: () => string) => string;

const at = (random: Random, text: string): number => random.between(0, text.length);

/** Ways to spoil a request. */
const CHANGES: readonly Change[] = [
  (random, text) => insert(text, at(random, text), random.pick(TOKENS)),
  (random, text) => insert(text, at(random, text.slice(0, text.indexOf('\r\n\r\n'))), random.pick(TOKENS)),
  (random, text) => insert(text, at(random, text), String.fromCharCode(random.between(0, 255))),
  (random, text) => remove(text, at(random, text), random.between(1, 40)),
  (random, text) => text.slice(0, at(random, text)),
  (random, text) => {
    const from = at(random, text);
    return insert(text, from, text.slice(from, from + random.between(1, 200)));
  },
  (random, text) => {
    const index = at(random, text);
    return `${text.slice(0, index)}${String.fromCharCode((text.charCodeAt(index) || 0) ^ (1 << random.between(0, 7)))}${text.slice(index + 1)}`;
  },
  (_random, text) => text.replaceAll('\r\n', '\n'),
  (_random, text, other) => text + other(),
  (random, text, other) => text.slice(0, at(random, text)) + other(),
];

function insert(text: string, index: number, piece: string): string {
  return text.slice(0, index) + piece + text.slice(index);
}

function remove(text: string, index: number, chars: number): string {
  return text.slice(0, index) + text.slice(index + chars);
}

/**
 * Turns a request into bytes that may be no HTTP at all.
 *
 * @param text the request, one character for each byte
 * @param other makes another request
 */
export function breakUp(random: Random, text: string, other: () => string): string {
  if (random.chance(0.05)) return random.pick(STRANGERS) + (random.chance(0.5) ? text : '');
  if (random.chance(0.03)) return noise(random);
  let broken = text;
  for (let left = random.between(1, CHANGES_MAX); left > 0; left -= 1)
    broken = random.pick(CHANGES)(random, broken, other);
  return broken;
}

function noise(random: Random): string {
  return Array.from({ length: random.between(1, NOISE_MAX) }, () => String.fromCharCode(random.between(0, 255))).join(
    '',
  );
}
