import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { overviewOf } from '#core/operator/sale-overview.js';
import { signBody } from '#core/payments/signature.js';
import { createSignedWebhook } from '#core/payments/signed-webhook.js';
import { readSale } from '#core/postgres/sales.js';
import { salePage } from '../../../apps/admin/pages/sale-page.js';
import { salesPage } from '../../../apps/admin/pages/sales-page.js';
import { addSaleCreate } from '../../../apps/cli/commands/sale/create.js';
import { useApi } from '../../support/http/api.js';
import { useStores } from '../../support/stores/stores.js';
import { startAnsweringServer } from './answering-server.js';
import { refusalOf } from './refusal-of.js';

// Texts at every entrance: the title of a sale, and what a payment provider writes in its events and answers.

const PROVIDER_SECRET = 'the key of the provider';
const stores = useStores();
const api = useApi({ PAYMENT_WEBHOOK_SECRETS: [PROVIDER_SECRET] });

const FAMILY = '👨‍👩‍👧‍👦';
const HEBREW = 'מנורה, מהדורה ראשונה';

/** Titles, and how they are stored if that differs. */
const TITLES: [what: string, title: string, stored?: string][] = [
  ['of one character', 'A'],
  ['of 200 letters', 'x'.repeat(200)],
  ['of 150 emoji', '🪔'.repeat(150)],
  ['of 200 families', FAMILY.repeat(200)],
  ['of 200 flags', '🇭🇺'.repeat(200)],
  ['of 200 letters with an accent each', 'e\u0301'.repeat(200), 'é'.repeat(200)],
  ['with an accent as a character of its own', 'Cafe\u0301', 'Café'],
  ['from right to left', HEBREW],
  ['with a mark that only helps the direction', `${HEBREW}\u200F!`],
  ['with joiners that Persian needs', 'می\u200Cخواهم'],
  ['with quotes and HTML', `A <b>"lamp"</b> & 'more'`],
  ['with spaces around it', '  Lamp\u3000 ', 'Lamp'],
];

/** Titles that are refused, and the advice. */
const WRONG_TITLES: [what: string, title: string, said: string][] = [
  ['that is empty', '', 'a character that can be seen'],
  ['of spaces', ' \u00A0\u3000', 'a character that can be seen'],
  ['of joiners', '\u200D\u200B\u2060', 'a character that can be seen'],
  ['of fillers', '\u3164\u115F', 'a character that can be seen'],
  ['of marks', '\u0301\u0301', 'a character that can be seen'],
  ['of 201 letters', 'x'.repeat(201), '1 to 200 characters'],
  ['of 201 families', FAMILY.repeat(201), '1 to 200 characters'],
  ['of one letter with 5,000 accents', `z${'\u0335'.repeat(5_000)}`, 'at most 8192 bytes'],
];

/** Characters that neither a title nor a text of a payment provider may have. */
const HOSTILE: [name: string, character: string][] = [
  ['U+0000', '\0'],
  ['U+0007', '\x07'],
  ['U+000A', '\n'],
  ['U+000D', '\r'],
  ['U+001B', '\x1B[31m'],
  ['U+007F', '\x7F'],
  ['U+009B', '\x9B'],
  ['U+2028', '\u2028'],
  ['U+2029', '\u2029'],
  ['U+202A', '\u202A'],
  ['U+202E', '\u202E'],
  ['U+2066', '\u2066'],
  ['U+2069', '\u2069'],
  ['U+FEFF', '\uFEFF'],
  ['U+FFFE', '\uFFFE'],
  ['U+D83D', '\uD83D'],
  ['U+DE00', '\uDE00'],
];

const create = (id: string, title: string): Promise<string | undefined> =>
  refusalOf(addSaleCreate, ['create', '--id', id, '--units', '1', '--price', '1', `--title=${title}`], {
    REDIS_URL: stores.redisUrl,
    DATABASE_URL: stores.databaseUrl,
  });

describe('the title of a sale', () => {
  test.each(TITLES)('%s is stored and shown', async (_, title, stored = title) => {
    const id = `sale-${randomUUID().slice(0, 8)}`;
    expect(await create(id, title)).toBeUndefined();
    const sale = await readSale(stores.db, id);
    if (!sale) throw new Error(`sale ${id} is not stored`);
    expect(sale.title).toBe(stored);
    await api.open(sale);
    expect((await api.get(`/sales/${id}`)).body.title).toBe(stored);
    const overview = await overviewOf(stores, sale);
    for (const { text } of [salePage(overview, { mayChange: true }), salesPage([overview])]) {
      expect(text).toMatch(/<h[12] dir="auto">/);
    }
  });

  test.each(WRONG_TITLES)('%s is refused', async (_, title, said) => {
    expect(await create('refused', title)).toContain(`It must have ${said}`);
    expect(await readSale(stores.db, 'refused')).toBeUndefined();
  });

  test.each(HOSTILE)('with %s is refused, with the name of the character', async (name, character) => {
    expect(await create('refused', `Lamp ${character}x`)).toContain(`It must not have the character ${name}`);
    expect(await readSale(stores.db, 'refused')).toBeUndefined();
  });

  test("the page takes the title's own direction", async () => {
    const page = await fetch(`${api.url}/s/any`);
    expect(await page.text()).toContain('<h1 id="title" dir="auto">');
  });
});

describe('a text of a payment provider', () => {
  const waiting = async () => (await api.ctx.queues.of('')['payment-event'].getJobs(['waiting'])).map(job => job.data);

  /** Sends an event with the texts, correctly signed. */
  function send(texts: { id?: string; type?: string; payment?: string }): Promise<{ status: number; body: object }> {
    const { id = `evt_${randomUUID()}`, type = 'payment_intent.succeeded', payment = 'pi_1' } = texts;
    const body = JSON.stringify({ id, type, data: { object: { id: payment, amount: 1, currency: 'eur' } } });
    const headers = { 'dropline-signature': signBody([PROVIDER_SECRET], body, Date.now()) };
    return api.send('/webhooks/payments/signed-webhook', { method: 'POST', body, headers });
  }

  test.each(HOSTILE)('an event with %s is refused at the door, and nothing is queued', async (_, character) => {
    const before = await waiting();
    const text = `x${character}`;
    for (const texts of [{ id: text }, { type: text }, { payment: text }]) {
      expect(await send(texts)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
    expect(await waiting()).toEqual(before);
  });

  test.each(['', 'x'.repeat(256)])('an event with %j is refused', async text => {
    for (const texts of [{ id: text }, { type: text }]) expect((await send(texts)).status).toBe(400);
  });

  test('an event of a foreign kind is taken', async () => {
    expect((await send({ id: 'évènement 1', type: 'x'.repeat(255) })).status).toBe(200);
  });

  test.each(HOSTILE)('an answer with %s is no answer', async (_, character) => {
    const orderId = randomUUID();
    const answers = [
      { id: `pi_${character}`, payUrl: 'https://pay.example/1' },
      { id: 'pi_1', payUrl: `https://pay.example/${character}` },
    ];
    for (const answer of answers) {
      const server = await startAnsweringServer(answer);
      const provider = createSignedWebhook({ url: server.url, key: 'key' }, [PROVIDER_SECRET]);
      const order = { orderId, attempt: 1, saleId: 's', buyerId: 'b', payByMs: Date.now() };
      await expect(provider.create({ ...order, amountMinor: 1, currency: 'EUR' })).rejects.toThrow();
      server.stop();
    }
  });
});
