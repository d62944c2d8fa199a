import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Sale } from '#core/rules/sale.js';
import { eventually } from '../../support/eventually.js';
import { BEARER, HTML, useAdmin } from '../../support/http/admin.js';
import { openTestSale } from '../../support/sales.js';
import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';
import { useStores } from '../../support/stores/stores.js';

// An audit that takes longer than its page waits.

const t = useStores();
const admin = useAdmin(t);

/** The delay of each statement, in ms. An audit has eight in sequence at least, and its page waits for 1.5 s. */
const SLOW = { kind: 'latency', ms: 300 } as const;
let proxy: FaultProxy;
let url: string;

beforeAll(async () => {
  proxy = await startFaultProxy(t.databaseUrl);
  url = await admin.startAnother({ DATABASE_URL: proxy.through(t.databaseUrl) });
});
afterAll(() => proxy.close());

const ask = ({ id }: Sale) => fetch(`${url}/sales/${id}/audit`, { headers: { ...BEARER, ...HTML } });
const pageOf = async (sale: Sale) => (await ask(sale)).text();

test('the page shows how far it is and loads itself again, and the audit continues meanwhile', async () => {
  const sale = await openTestSale(t);
  proxy.set(SLOW);
  expect(await pageOf(sale)).toMatch(/http-equiv="refresh" content="1".*The audit runs.*\d+ %/s);
  // An audit that began again with each request would never end, as none of them waits for as long as one takes.
  await eventually(async () => expect(await pageOf(sale)).toContain('Every promise holds'));
  // The result was seen, so the next request begins another audit.
  expect(await pageOf(sale)).toContain('The audit runs');
  proxy.set({ kind: 'none' });
  await eventually(async () => expect(await pageOf(sale)).toContain('Every promise holds'));
});

test('at most two run at the same time, other pages are answered, and the next one may begin when one of them is over', async () => {
  const sales = await Promise.all(Array.from({ length: 3 }, () => openTestSale(t)));
  proxy.set(SLOW);
  const answers = await Promise.all(sales.map(ask));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
  expect((await fetch(`${url}/sales`, { headers: BEARER })).status).toBe(200);
  proxy.set({ kind: 'none' });
  const refused = sales[answers.findIndex(({ status }) => status === 429)] as Sale;
  // Nobody has seen the results of the two. They wait for half a minute, and hold up nobody meanwhile.
  await eventually(async () => expect(await pageOf(refused)).toContain('Every promise holds'), 20_000);
  for (const sale of sales) {
    if (sale !== refused) await eventually(async () => expect(await pageOf(sale)).toContain('Every promise holds'));
  }
});
