import { gzipSync } from 'node:zlib';
import type { Random } from '../../chaos/workload/random.js';

/** The body of a request, one character for each byte (Latin-1), and its media type if it names one. */
export interface OddBody {
  text: string;
  type?: string;
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** The limits of the servers, in bytes: a buyer's call, a console's form, and a payment event. */
const LIMITS = [1_024, 2_048, 65_536];

const DEEP = 30_000;
const BYTES_MAX = 3_000;
const BOMB_BYTES = 1_000_000;

const bytes = (random: Random, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(random.between(0, 255))).join('');

/** The event of a payment provider, with odd values here and there. */
function event(random: Random, saleIds: readonly string[]): string {
  const odd = () => random.pick([null, -1, 1e300, '', '\u0000', 'x'.repeat(300), [], {}, true, ...saleIds]);
  const mostly = (value: unknown) => (random.chance(0.8) ? value : odd());
  const object = {
    id: mostly(`pi-${random.between(1, 100)}`),
    amount: mostly(500),
    currency: mostly('eur'),
    metadata: mostly({ order_id: mostly('00000000-0000-4000-8000-000000000000') }),
  };
  const type = mostly(random.pick(['payment_intent.succeeded', 'payment_intent.canceled', 'charge.refunded', 'other']));
  return JSON.stringify({ id: mostly(`evt-${random.between(1, 1_000)}`), type, data: mostly({ object }) });
}

const BODIES: readonly ((random: Random, saleIds: readonly string[]) => OddBody)[] = [
  () => ({ text: '' }),
  () => ({ text: '' }),
  (random, saleIds) => ({ text: event(random, saleIds), type: JSON_TYPE }),
  (random, saleIds) => ({ text: event(random, saleIds), type: JSON_TYPE }),
  () => ({ text: '{}', type: JSON_TYPE }),
  () => ({ text: '{"', type: JSON_TYPE }),
  () => ({ text: 'null', type: JSON_TYPE }),
  () => ({ text: '\xef\xbb\xbf{}', type: JSON_TYPE }),
  () => ({ text: '{"__proto__":{"x":1},"constructor":{}}', type: JSON_TYPE }),
  () => ({ text: '[{"id":"1"}]', type: `${JSON_TYPE}; charset=utf-99` }),
  () => ({ text: '['.repeat(DEEP), type: JSON_TYPE }),
  random => ({
    text: JSON.stringify({ units: random.pick([1, 0, -1, 1e9, '1', null, 'x']), restock: 'no', id: '1' }),
    type: JSON_TYPE,
  }),
  random => ({
    text: `units=${random.pick(['1', '0', '-1', '1e9', 'x', '%zz'])}&generation=1&restock=no&id=1`,
    type: FORM_TYPE,
  }),
  () => ({ text: 'token=wrong', type: FORM_TYPE }),
  () => ({ text: 'token=a&token=b&token[]=c&token[x]=d', type: FORM_TYPE }),
  () => ({ text: 'a&'.repeat(900), type: FORM_TYPE }),
  () => ({ text: '<x', type: 'text/xml' }),
  () => ({
    text: '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nx\r\n--b--',
    type: 'multipart/form-data; boundary=b',
  }),
  () => ({ text: gzipSync(Buffer.alloc(BOMB_BYTES)).toString('latin1'), type: JSON_TYPE }),
  random => ({ text: 'x'.repeat(Math.max(0, random.pick(LIMITS) + random.between(-1, 1))) }),
  random => ({
    text: bytes(random, random.between(1, BYTES_MAX)),
    type: random.pick(['', JSON_TYPE, '\xff', 'x'.repeat(500)]),
  }),
];

/**
 * Makes the body of a request, or none.
 *
 * @param saleIds may occur in it
 */
export function oddBody(random: Random, saleIds: readonly string[]): OddBody {
  return random.pick(BODIES)(random, saleIds);
}
