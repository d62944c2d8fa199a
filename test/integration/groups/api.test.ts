import { expect, test } from '@jest/globals';
import { issueToken } from '#core/identity/token.js';
import { SECRET, useApi } from '../../support/http/api.js';

const api = useApi();

const click = (saleId: string, buyerId: string, group?: string) =>
  api.send(`/buy/${saleId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${issueToken(SECRET, buyerId, { group })}` },
  });

test('the token of a buyer names the group, and a click beyond its limit gets a problem', async () => {
  const sale = await api.open({ perGroup: 1 });
  expect(await click(sale.id, 'ann', 'home')).toMatchObject({ status: 202, body: { status: 'queued' } });
  expect(await click(sale.id, 'bob', 'home')).toMatchObject({ status: 409, body: { code: 'group_limit' } });
  expect(await click(sale.id, 'cid', 'other')).toMatchObject({ status: 202 });
  expect(await click(sale.id, 'dan')).toMatchObject({ status: 202 });
});

test('a claim that is given up before it is placed tells the worker its group', async () => {
  const sale = await api.open({ perGroup: 1 });
  await click(sale.id, 'ann', 'home');
  expect(await api.post(`/cancel/${sale.id}`, 'ann')).toMatchObject({ status: 202 });
  const jobs = await api.ctx.queues.of('')['cancel-order'].getJobs(['waiting']);
  expect(jobs.map(({ data }) => data)).toContainEqual(expect.objectContaining({ buyerId: 'ann', group: 'home' }));
});

test('a buyer who clicks with two groups at the same moment has one claim', async () => {
  const sale = await api.open({ perGroup: 1 });
  const answers = await Promise.all(['home', 'other', 'home', 'third'].map(group => click(sale.id, 'ann', group)));
  expect(new Set(answers.map(({ body }) => body.claimId)).size).toBe(1);
});

test('a token whose group has no valid form is refused, also in a sale without a limit', async () => {
  const sale = await api.open();
  expect(await click(sale.id, 'ann', 'two words')).toMatchObject({
    status: 401,
    body: { code: 'unauthenticated', detail: expect.stringMatching(/^group_form: /) },
  });
});
