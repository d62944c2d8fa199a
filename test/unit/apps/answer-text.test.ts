import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { signReceipt } from '#core/identity/receipt.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { CLAIM_STATUSES, type ClaimRecord } from '#core/rules/claim.js';
import { PROBLEMS, type ProblemCode, type ProblemDetails, problemBody } from '#core/rules/errors.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { ClaimAnswer, claimText, StandbyAnswer, standbyAnswer } from '../../../apps/api/answers/claim-answer.js';
import { answerOf, answerText, etagOf, OrderStatus } from '../../../apps/api/answers/order-answer.js';
import { type PublicStatus, pollAfterMs } from '../../../apps/api/answers/poll.js';
import { problemText, READY, sendProblem, sendReady } from '../../../apps/api/http/problem.js';
import type { RecentSale } from '../../../apps/api/mirror/sales.js';
import { ProblemBody } from '../../../apps/api/routes/openapi.js';

// One answer exists as hand-written text, as an object and as a schema. A field that is added to one of them, and forgotten
// in another, fails here.

afterEach(() => {
  jest.restoreAllMocks();
});

/** The object that a client reads: what is undefined is not there. */
const read = (answer: object): unknown => JSON.parse(JSON.stringify(answer));

const whole = (max: number) => fc.integer({ min: 1, max });
const moment = fc.integer({ min: 0, max: Date.UTC(2100, 0) });

const anyClaim: fc.Arbitrary<ClaimRecord> = fc.record(
  {
    claimId: fc.uuid({ version: 7 }),
    unit: whole(10_000_000),
    status: fc.constantFrom(...CLAIM_STATUSES),
    payByMs: moment,
    reason: fc.string(),
    refundedMinor: whole(1_000_000),
  },
  { requiredKeys: ['claimId', 'unit', 'status'] },
);

const anyStatus: fc.Arbitrary<BuyerStatus> = fc.record(
  { claim: anyClaim, position: whole(1_000_000) },
  { requiredKeys: [] },
);

const anySale: fc.Arbitrary<RecentSale> = fc
  .record({
    priceMinor: fc.nat(),
    currency: fc.stringMatching(/^[A-Z]{3}$/),
    payWithinSeconds: whole(86_400),
    opensAtMs: moment,
    closesAtMs: moment,
    nowMs: moment,
  })
  .map(({ nowMs, ...wanted }) => ({
    ...ordinarySale({ units: 1, ...wanted }),
    ...{ standbyCap: 5, runId: 'run', remaining: 0, claims: 1, waiting: 1, unplaced: 0, nowMs, readAtMs: 0 },
  }));

const anyPace = fc.record({
  slowdown: fc.constantFrom(1, 2, 4, 8, 16),
  askedAtMs: whole(3_600_000),
  newReceipt: fc.option(fc.stringMatching(/^[\w.-]{90,110}$/), { nil: undefined }),
});

/** Makes the pause before the next poll the same for text and object. */
const fixRandom = (value: number) => jest.spyOn(Math, 'random').mockReturnValue(value);
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the status of an order', () => {
  const schema = OrderStatus.strict();

  test('has the same text, tag and object for every status', () => {
    fc.assert(
      fc.property(anySale, anyStatus, anyPace, anyRandom, (sale, known, asked, random) => {
        fixRandom(random);
        const answer = answerOf(sale, known, asked);
        const { text, etag } = answerText(sale, known, asked);
        expect(JSON.parse(text)).toEqual(read(answer));
        expect(etag).toBe(etagOf(answer, asked.slowdown));
        expect(schema.parse(JSON.parse(text))).toEqual(read(answer));
      }),
    );
  });

  test('has every field of its schema', () => {
    const claim: Required<ClaimRecord> = {
      claimId: '018f0000-0000-7000-8000-000000000000',
      unit: 1,
      status: 'pending_payment',
      payByMs: 1,
      refundedMinor: 1,
      strikes: 1,
      group: 'g',
      reason: 'unpaid',
    };
    const [sale] = fc.sample(anySale, 1) as [RecentSale];
    const asked = { slowdown: 1, askedAtMs: 0, newReceipt: 'proof' };
    const open = { ...sale, closesAtMs: sale.nowMs + 1 };
    const answers = [{ claim }, { position: 1, entry: 1 }].map(known => read(answerOf(open, known, asked)) as object);
    // The look-up adds the address at which a provider takes the payment.
    const fields = new Set([...answers.flatMap(Object.keys), 'paymentUrl']);
    expect([...fields].sort()).toEqual(Object.keys(OrderStatus.shape).sort());
  });
});

describe('the answer to a click', () => {
  const schema = ClaimAnswer.strict();
  const KEY = 'a secret of at least 32 characters.';

  test('has the fields of the claim, the pause and the receipt', () => {
    fc.assert(
      fc.property(anyClaim, fc.boolean(), (claim, isQueued) => {
        const { status, claimId, unit } = isQueued ? { ...claim, status: 'queued' as const } : claim;
        const receipt = isQueued
          ? signReceipt(KEY, { saleId: 'drop', buyerId: 'ann', claimId, unit, wonAtMs: 1 })
          : undefined;
        const poll = pollAfterMs(status, 1);
        const answer = read({ status, claimId, unit, pollAfterMs: poll, receipt });
        const text = claimText({ ...claim, status }, poll, receipt);
        expect(JSON.parse(text)).toEqual(answer);
        expect(schema.parse(JSON.parse(text))).toEqual(answer);
        if (isQueued) expect(Object.keys(JSON.parse(text)).sort()).toEqual(Object.keys(ClaimAnswer.shape).sort());
      }),
    );
  });

  test('has a position and a pause on standby', () => {
    fc.assert(
      fc.property(whole(1_000_000), fc.constant<PublicStatus>('standby'), (position, status) => {
        const answer = read(standbyAnswer(position, pollAfterMs(status, 1)));
        expect(StandbyAnswer.strict().parse(answer)).toEqual(answer);
        expect(answer).toMatchObject({ status, position });
      }),
    );
  });
});

describe('a problem', () => {
  const schema = ProblemBody.strict();
  const codes = fc.constantFrom(...(Object.keys(PROBLEMS) as ProblemCode[]));
  const anyDetails: fc.Arbitrary<ProblemDetails> = fc.record(
    { detail: fc.string(), retryAfterSeconds: whole(60), opensAt: moment.map(ms => new Date(ms).toISOString()) },
    { requiredKeys: [] },
  );

  test('has the text of its body, which fits the schema', () => {
    fc.assert(
      fc.property(codes, anyDetails, (code, details) => {
        const body = read(problemBody(code, details));
        expect(JSON.parse(problemText(code, details))).toEqual(body);
        expect(schema.parse(body)).toEqual(body);
      }),
    );
    const fields = Object.keys(problemBody('not_open', { detail: 'paused', opensAt: new Date(0).toISOString() }));
    expect(fields.sort()).toEqual(Object.keys(ProblemBody.shape).sort());
  });

  test.each([
    ['sold_out', 'sold_out'],
    ['closed', 'sale_closed'],
  ] as const)('that is prepared (%s) is the answer that %s gets otherwise', async (refusal, code) => {
    const server = createServer((req, res) =>
      req.url === '/ready' ? sendReady(res, READY[refusal]) : sendProblem(res, code),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const answers = ['/ready', '/problem'].map(async path => {
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
      const { date: _, ...headers } = Object.fromEntries(response.headers);
      return { status: response.status, headers, text: await response.text() };
    });
    const [ready, problem] = await Promise.all(answers);
    server.close();
    expect(ready).toEqual(problem);
  });
});
