import { signBody } from '#core/payments/signature.js';
import type { Random } from '../../chaos/workload/random.js';
import { type OddBody, oddBody } from './body.js';
import { adminCredential, buyerCredential } from './credential.js';
import type { Door, Ground, Route } from './ground.js';
import {
  BUYER_HEADERS,
  METHODS,
  ODD_HEADERS,
  ODD_IDS,
  OPERATOR_HEADERS,
  PATH_TWISTS,
  QUERIES,
  VERSIONS,
} from './oddities.js';

/** An HTTP request as it goes over the wire. */
export interface OddRequest {
  /** One character for each byte (Latin-1). */
  text: string;
  /** Whether the body is as long as the headers say. */
  isWhole: boolean;
  isHead: boolean;
}

const PLAIN = { method: 0.7, id: 0.5, path: 0.85, version: 0.97 };
const READS = ['GET', 'HEAD'];
const READ_WITH_BODY_SHARE = 0.1;
const QUERY_SHARE = 0.25;
const HEADERS_MAX = 4;
const LENGTH_LIES_SHARE = 0.04;
const CHUNKED_SHARE = 0.2;
/** Enough addresses that nginx's limits for each of them leave most of the inputs alone. */
const ADDRESSES = 20_000;

/**
 * Makes a request for one of the routes, which is odd in some of its parts. All parts together are a whole request,
 * unless its body is shorter than the headers say.
 */
export function oddRequest(random: Random, door: Door, ground: Ground): OddRequest {
  const route = random.pick(ground.routes[door]);
  const method = random.chance(PLAIN.method) ? route.method : random.pick(METHODS);
  const target = targetOf(random, route, ground.ids[door]);
  const version = random.chance(PLAIN.version) ? 'HTTP/1.1' : random.pick(VERSIONS);
  const mayHaveBody = !READS.includes(method) || random.chance(READ_WITH_BODY_SHARE);
  const body: OddBody = mayHaveBody ? oddBody(random, ground.ids[door]) : { text: '' };
  const framing = frame(random, body.text);
  const headers = [
    ...hostOf(random),
    `X-Forwarded-For: 10.${random.between(0, ADDRESSES) >> 8}.${random.between(0, 255)}.1`,
    ...credentialOf(random, door, ground),
    ...(body.type ? [`Content-Type: ${body.type}`] : []),
    ...signatureOf(random, route, { body: body.text, ground }),
    ...manyOf(random, door === 'admin' ? OPERATOR_HEADERS : BUYER_HEADERS),
    ...manyOf(random, ODD_HEADERS),
    ...framing.headers,
  ];
  return {
    text: `${method} ${target} ${version}\r\n${headers.join('\r\n')}\r\n\r\n${framing.text}`,
    isWhole: framing.isWhole,
    isHead: method === 'HEAD',
  };
}

function targetOf(random: Random, route: Route, known: readonly string[]): string {
  const ids = random.chance(PLAIN.id) ? known : ODD_IDS;
  const plain = route.path.replaceAll(/\{\w+\}/g, () => random.pick(ids));
  const path = random.chance(PLAIN.path) ? plain : random.pick(PATH_TWISTS)(plain);
  return random.chance(QUERY_SHARE) ? `${path}?${random.pick(QUERIES)}` : path;
}

function hostOf(random: Random): string[] {
  if (random.chance(0.95)) return ['Host: 127.0.0.1'];
  return random.pick([
    [],
    ['Host: '],
    ['Host: a', 'Host: b'],
    ['Host: shop.example:99999'],
    ['Host: a b'],
    ['Host: [::1'],
  ]);
}

function credentialOf(random: Random, door: Door, { secrets }: Ground): string[] {
  return door === 'admin' ? adminCredential(random, secrets) : buyerCredential(random, secrets);
}

/** Most events of a provider are signed, as unsigned ones are refused before anything reads them. */
function signatureOf(random: Random, { path }: Route, { body, ground }: { body: string; ground: Ground }): string[] {
  if (!path.startsWith('/webhooks/')) return [];
  const signature = signBody([ground.secrets.webhookSecret], Buffer.from(body, 'latin1'), Date.now());
  const form = random.pick([
    signature,
    signature,
    signature,
    signature.replace(/.$/, '0'),
    't=1,v1=00',
    '',
    'x'.repeat(3_000),
  ]);
  return [`${random.pick(['Dropline-Signature', 'Stripe-Signature'])}: ${form}`];
}

function manyOf(random: Random, headers: readonly string[]): string[] {
  return Array.from({ length: random.between(0, HEADERS_MAX) }, () => random.pick(headers));
}

/** Tells the length of a body, mostly as it is. */
function frame(random: Random, body: string): { headers: string[]; text: string; isWhole: boolean } {
  if (random.chance(LENGTH_LIES_SHARE)) return lie(random, body);
  if (body === '') return { headers: [], text: '', isWhole: true };
  if (!random.chance(CHUNKED_SHARE)) return { headers: [`Content-Length: ${body.length}`], text: body, isWhole: true };
  const cut = random.between(1, body.length);
  const chunks = [body.slice(0, cut), body.slice(cut)].filter(chunk => chunk !== '');
  const text = chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return { headers: ['Transfer-Encoding: chunked'], text: `${text}0\r\n\r\n`, isWhole: true };
}

function lie(random: Random, body: string): { headers: string[]; text: string; isWhole: boolean } {
  const headers = random.pick([
    [`Content-Length: ${body.length + random.between(1, 100_000)}`],
    ['Content-Length: -1'],
    ['Content-Length: 99999999999999999999'],
    ['Content-Length: 1', 'Content-Length: 2'],
    [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: a-miracle'],
    ['Transfer-Encoding: gzip, chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ]);
  return { headers, text: body, isWhole: false };
}
