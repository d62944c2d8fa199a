import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseProviderEvent } from '#core/payments/provider-event.js';
import { createSignedWebhook } from '#core/payments/signed-webhook.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import { readSale } from '#core/postgres/sales.js';
import { formatMoney } from '#core/rules/money.js';
import { addCredit } from '../../../apps/cli/commands/credit.js';
import { addSaleCreate } from '../../../apps/cli/commands/sale/create.js';
import { formatPrice } from '../../../apps/web/scripts/sale.js';
import { useApi } from '../../support/http/api.js';
import { usePayments } from '../../support/payments.js';
import { refusalOf } from './refusal-of.js';

// Amounts and currencies at every entrance, and the same amount wherever people read it.

const stores = usePayments();
const api = useApi();

/** Amounts as an operator types them, and as everybody reads them then. */
const AMOUNTS: { text: string; currency: string; minor: number; shown: string; onPage: string }[] = [
  { text: '4900', currency: 'EUR', minor: 4_900, shown: 'EUR 49.00', onPage: '€49.00' },
  { text: '1', currency: 'EUR', minor: 1, shown: 'EUR 0.01', onPage: '€0.01' },
  { text: '490000', currency: 'HUF', minor: 490_000, shown: 'HUF 4900.00', onPage: 'HUF 4,900.00' },
  { text: '490000', currency: 'IDR', minor: 490_000, shown: 'IDR 4900.00', onPage: 'IDR 4,900.00' },
  { text: '490000', currency: 'MGA', minor: 490_000, shown: 'MGA 4900.00', onPage: 'MGA 4,900.00' },
  { text: '4900', currency: 'JPY', minor: 4_900, shown: 'JPY 4900', onPage: '¥4,900' },
  { text: '4900', currency: 'ISK', minor: 4_900, shown: 'ISK 4900', onPage: 'ISK 4,900' },
  { text: '4900', currency: 'KWD', minor: 4_900, shown: 'KWD 4.900', onPage: 'KWD 4.900' },
  { text: '007', currency: 'KWD', minor: 7, shown: 'KWD 0.007', onPage: 'KWD 0.007' },
  { text: '1000000000000', currency: 'EUR', minor: 1e12, shown: 'EUR 10000000000.00', onPage: '€10,000,000,000.00' },
];

const WHOLE = 'must be a whole number from';

/** Amounts that are mistakes, and the advice. */
const WRONG_AMOUNTS: [text: string, currency: string, said: string][] = [
  ['49.00', 'EUR', 'must be in minor units: 4900 for EUR 49.00'],
  ['49,00', 'EUR', 'must be in minor units: 4900 for EUR 49.00'],
  ['49.5', 'EUR', 'must be in minor units: 4950 for EUR 49.50'],
  ['4900.00', 'HUF', 'must be in minor units: 490000 for HUF 4900.00'],
  ['4.9', 'KWD', 'must be in minor units: 4900 for KWD 4.900'],
  ['4.90', 'JPY', `${WHOLE}`],
  ['4.9000', 'EUR', `${WHOLE}`],
  ...['-1', '', ' 49', '49 ', '1e3', '0x10', '1_000', '€49', '٤٩', '４９', 'NaN', 'Infinity', '1000000000001'].map(
    (text): [string, string, string] => [text, 'EUR', `in minor units: 100 for EUR 1.00`],
  ),
  ['9007199254740993', 'JPY', 'in minor units: 100 for JPY 100'],
];

/** Codes that are no currency, or no longer one, or that nobody pays with. The Е of ЕUR is Cyrillic. */
const WRONG_CURRENCIES = ['', 'eur', 'EU', 'EURO', 'EUR ', '978', '€', 'ABC', 'XXX', 'XTS', 'XAU', 'HRK', 'ЕUR'];

const env = () => ({ REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl });

async function create(id: string, price: string, currency: string): Promise<string | undefined> {
  const args = ['create', '--id', id, '--units', '1', `--price=${price}`, `--currency=${currency}`];
  return refusalOf(addSaleCreate, args, env());
}

const credit = (buyer: string, amount: string, currency: string): Promise<string | undefined> =>
  refusalOf(addCredit, ['credit', '--buyer', buyer, `--amount=${amount}`, `--currency=${currency}`], env());

describe('an amount that an operator types', () => {
  test.each(AMOUNTS)('$text of $currency is $shown everywhere', async ({ text, currency, minor, shown, onPage }) => {
    const id = `sale-${randomUUID().slice(0, 8)}`;
    expect(await create(id, text, currency)).toBeUndefined();
    const sale = await readSale(stores.db, id);
    if (!sale) throw new Error(`sale ${id} is not stored`);
    expect(sale).toMatchObject({ priceMinor: minor, currency });
    expect(formatMoney(sale.priceMinor, sale.currency)).toBe(shown);
    expect(await credit(id, text, currency)).toBeUndefined();
    expect(await readBalance(stores.db, id, currency)).toBe(minor);

    await api.open(sale);
    const { body: page } = await api.get(`/sales/${id}`);
    expect(plain(formatPrice({ ...page, amountMinor: page.priceMinor } as never, 'en'))).toBe(onPage);
    await api.post(`/buy/${id}`, 'ann');
    const { body: order } = await api.get(`/order-status/${id}`, 'ann');
    expect(plain(formatPrice(order as never, 'en'))).toBe(onPage);
  });

  test.each(WRONG_AMOUNTS)('%j of %s is refused: it %s', async (text, currency, said) => {
    expect(await create('refused', text, currency)).toContain(said);
    expect(await credit('refused', text, currency)).toContain(said);
    expect(await readSale(stores.db, 'refused')).toBeUndefined();
    expect(await readBalance(stores.db, 'refused', currency)).toBe(0);
  });

  test.each(WRONG_CURRENCIES)('%j is no currency', async code => {
    for (const refusal of [await create('refused', '4900', code), await credit('refused', '4900', code)]) {
      expect(refusal).toContain('It must be a currency of ISO 4217');
    }
    expect(await readSale(stores.db, 'refused')).toBeUndefined();
  });

  test('nothing costs nothing, and no wallet is credited with it', async () => {
    expect(await create('free', '0', 'EUR')).toBeUndefined();
    expect(await credit('ann', '0', 'EUR')).toContain('from 1 to');
  });
});

describe('an amount at a payment provider', () => {
  test.each(AMOUNTS)('$text of $currency is asked for as $shown', async ({ currency, minor, shown }) => {
    const { PAYMENT_PROVIDER_URL: url = '', PAYMENT_PROVIDER_KEY: key = '' } = stores.fake.settings;
    const provider = createSignedWebhook({ url, key }, [stores.fake.secret]);
    const orderId = randomUUID();
    const order = { orderId, attempt: 1, saleId: 's', buyerId: 'b', payByMs: Date.now() };
    const created = await provider.create({ ...order, amountMinor: minor, currency });
    if (created.kind !== 'open') throw new Error(created.kind);
    expect(await (await fetch(created.payUrl)).text()).toContain(`${shown}: open`);
    expect(await provider.ask({ orderId, attempt: 1, paymentId: null })).toMatchObject({
      amountMinor: minor,
      currency,
    });
  });

  test.each([-1, 49.5, 2 ** 53, 1e300, '4900', null, [], { amount: 1 }])('%j is no amount of an event', amount => {
    const object = { id: 'pi_1', amount, currency: 'eur' };
    const event = { id: 'evt_1', type: 'payment_intent.succeeded', data: { object } };
    expect(parseProviderEvent(Buffer.from(JSON.stringify(event)))?.report).toBeUndefined();
  });
});

/** Returns a text with usual spaces: prices have some that do not break. */
function plain(text: string): string {
  return text.replace(/\u00A0/g, ' ');
}
