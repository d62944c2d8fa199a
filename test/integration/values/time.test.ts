import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readSale } from '#core/postgres/sales.js';
import { addSaleCreate } from '../../../apps/cli/commands/sale/create.js';
import { useApi } from '../../support/http/api.js';
import { useStores } from '../../support/stores/stores.js';
import { refusalOf } from './refusal-of.js';

// Times at every entrance: the options --opens and --closes are the only ones that take a date.

const stores = useStores();
const api = useApi();

/** Times, and how the API shows them. */
const TIMES: [text: string, iso: string][] = [
  ['2028-02-29T18:00:00Z', '2028-02-29T18:00:00.000Z'],
  ['2000-02-29T18:00Z', '2000-02-29T18:00:00.000Z'],
  ['2026-12-31T23:59:59.999Z', '2026-12-31T23:59:59.999Z'],
  ['2026-12-01T00:30:00+14:00', '2026-11-30T10:30:00.000Z'],
  ['2026-12-01T10:00:00.5-09:30', '2026-12-01T19:30:00.500Z'],
  ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
  ['2099-12-31T00:00:00Z', '2099-12-31T00:00:00.000Z'],
];

const NO_DAY = 'It must be a day of the calendar, and a time from 00:00 to 23:59:59';
const NO_ZONE = 'It must end in a time zone';
const FORMS = 'It must be now, +10s, +5m, +1h, +1d, or a time such as';
const FAR = 'It must be a time from the year 2000 to the year 2100';

/** Texts that are no time, and the advice. */
const WRONG_TIMES: [text: string, said: string][] = [
  ['2027-02-29T18:00:00Z', NO_DAY],
  ['2100-02-29T18:00:00Z', NO_DAY],
  ['2026-02-30T18:00:00Z', NO_DAY],
  ['2026-04-31T18:00:00+02:00', NO_DAY],
  ['2026-00-10T18:00:00Z', NO_DAY],
  ['2026-13-01T18:00:00Z', NO_DAY],
  ['2026-12-00T18:00:00Z', NO_DAY],
  ['2026-12-32T18:00:00Z', NO_DAY],
  ['2026-12-01T24:00:00Z', NO_DAY],
  ['2026-12-01T18:60:00Z', NO_DAY],
  ['2026-12-31T23:59:60Z', NO_DAY],
  ['2026-12-01T18:00:00+24:00', NO_DAY],
  ['2026-12-01T18:00:00+02:60', NO_DAY],
  ['2026-12-01T18:00:00.1234Z', 'It must be a time such as'],
  ['2026-12-01T18:00:00', NO_ZONE],
  ['2026-12-01T18:00', NO_ZONE],
  ['2026-12-01T18:00:00+0200', NO_ZONE],
  ['2026-12-01T18:00:00 Europe/Berlin', NO_ZONE],
  ['0000-01-01T00:00:00Z', FAR],
  ['0001-01-01T00:00:00Z', FAR],
  ['1999-12-31T23:59:59Z', FAR],
  ['2100-01-01T00:00:01Z', FAR],
  ['9999-12-31T23:59:59Z', FAR],
  ['2026-12-01', FORMS],
  ['2026-12-01 18:00:00Z', FORMS],
  ['20261201T180000Z', FORMS],
  ['2026-W49-2T18:00:00Z', FORMS],
  ['+010000-01-01T00:00:00Z', FORMS],
  ['1796148000', FORMS],
  ['12/01/2026', FORMS],
  ['tomorrow', FORMS],
  ['+1w', FORMS],
  ['+999999999d', FORMS],
  ['', FORMS],
];

const create = (id: string, times: { opens?: string; closes?: string }): Promise<string | undefined> => {
  const options = Object.entries(times).map(([name, text]) => `--${name}=${text}`);
  const args = ['create', '--id', id, '--units', '1', '--price', '1', ...options];
  return refusalOf(addSaleCreate, args, { REDIS_URL: stores.redisUrl, DATABASE_URL: stores.databaseUrl });
};

describe('a time that an operator types', () => {
  test.each(TIMES)('%s is %s, for the buyers, too', async (opens, iso) => {
    const id = `sale-${randomUUID().slice(0, 8)}`;
    expect(await create(id, { opens, closes: '2100-01-01T00:00:00Z' })).toBeUndefined();
    const sale = await readSale(stores.db, id);
    if (!sale) throw new Error(`sale ${id} is not stored`);
    await api.open(sale);
    expect((await api.get(`/sales/${id}`)).body).toMatchObject({ opensAt: iso, closesAt: '2100-01-01T00:00:00.000Z' });
  });

  test.each(WRONG_TIMES)('%j is refused: %s', async (text, said) => {
    expect(await create('refused', { opens: text, closes: '2100-01-01T00:00:00Z' })).toContain(said);
    expect(await create('refused', { closes: text })).toContain(said);
    expect(await readSale(stores.db, 'refused')).toBeUndefined();
  });
});
