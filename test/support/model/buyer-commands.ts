import fc from 'fast-check';
import { newClaimId } from '#core/identity/claim-id.js';
import { type ClaimOutcome, claim } from '#core/redis/claims/claim.js';
import { regrab } from '#core/redis/claims/regrab.js';
import { promote, release } from '#core/redis/claims/release.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { readStatuses, recordStatus, setReason } from '#core/redis/claims/status.js';
import { setStrikes } from '#core/redis/claims/strikes.js';
import { groupsKeyOf, keysOf } from '#core/redis/keys.js';
import type { ClaimRecord } from '#core/rules/claim.js';
import type { OrderReason } from '#core/rules/order.js';
import { buyer, fenced, named, pick, picked, picks, purchaseKeysOf, UNVERIFIED, unfenced } from './command.js';
import { groupOf } from './groups.js';

// Commands about buyers and their claims.

/** Puts the outcome of a claim into the words of the model. */
export function wordsOf(outcome: ClaimOutcome): string {
  switch (outcome.kind) {
    case 'won':
      return `won ${outcome.claim.unit}`;
    case 'held':
      return `held ${outcome.claim.claimId} ${outcome.claim.unit} ${outcome.claim.status}`;
    case 'standby':
      return `standby ${outcome.position}`;
    case 'joined':
      return `joined ${outcome.entry ?? '-'}${outcome.isBeforeOpening ? '' : ' late'}`;
    case 'sold_out':
    case 'unpaid_limit':
    case 'others_first':
    case 'group_limit':
      return outcome.kind;
    case 'too_soon':
      return `too_soon ${outcome.because}`;
    case 'refused':
      return `refused ${outcome.refusal}`;
  }
}

/** Claims for a batch of buyers. */
export const claiming = fc.array(buyer, { minLength: 1, maxLength: 12 }).map(
  fenced('claim', (run, buyerIds) => {
    const requests = buyerIds.map(buyerId => {
      const group = groupOf(buyerId);
      return { buyerId, claimId: newClaimId(), ...(group && { group }) };
    });
    return {
      ask: async redis => {
        const outcomes = await claim(redis, run.sale.id, requests);
        if (outcomes.every(one => wordsOf(one) === UNVERIFIED[0])) return { outcomes: UNVERIFIED };
        return {
          outcomes: outcomes.map(wordsOf),
          won: outcomes.flatMap(one => (one.kind === 'won' ? [one.claim] : [])),
        };
      },
      // Redis puts its time into the id of a claim, so the model takes the ids from the answer.
      expect: (model, { won = [] }) =>
        requests.map(({ buyerId, claimId }) =>
          model.claim(buyerId, won.find(one => one.buyerId === buyerId)?.claimId ?? claimId),
        ),
    };
  }),
);

/** Releases claims, with or without their units. */
export const releasing = fc
  .tuple(picks, fc.constantFrom('cancelled', 'rejected', 'refunded'), fc.integer({ min: 0, max: 9 }))
  .map(
    fenced('release', (run, [parts, status, sort]) => {
      const claims = picked(run, parts);
      if (claims.length === 0) return undefined;
      const freesUnit = sort > 0;
      const releases = claims.map(one => ({ ...one, status, reason: 'unpaid' as const, freesUnit }));
      return {
        ask: async redis => {
          const outcomes = await release(redis, run.sale.id, releases);
          const promoted = outcomes.map(one => (one.kind === 'promoted' ? one.claim : undefined));
          const words = outcomes.map((one, i) =>
            [one.kind, promoted[i]?.buyerId, promoted[i]?.unit].join(' ').trimEnd(),
          );
          return { outcomes: words, won: promoted.flatMap(one => one ?? []) };
        },
        expect: (model, { won = [] }) => {
          const ids = won.map(one => one.claimId);
          return claims.map(one => {
            const outcome = model.release({ ...one, status, freesUnit }, ids[0]);
            if (outcome.startsWith('promoted')) ids.shift();
            return outcome;
          });
        },
      };
    }),
  );

const PAY_BY_MS = 1_000;

/** Records statuses of orders. */
export const recording = fc
  .tuple(picks, fc.constantFrom('queued', 'pending_payment', 'paid'), fc.constantFrom(undefined, 'insufficient_funds'))
  .map(
    fenced('record-status', (run, [parts, status, reason]) => {
      const claims = picked(run, parts);
      if (claims.length === 0) return undefined;
      const records = claims.map(one => ({ ...one, status, payByMs: PAY_BY_MS, reason: reason ?? null }));
      return {
        ask: async redis => ({ outcomes: await recordStatus(redis, run.sale.id, records) }),
        expect: model => claims.map(one => model.recordStatus({ ...one, status, payByMs: PAY_BY_MS, reason })),
      };
    }),
  );

/** Gives free units to the buyers on standby. */
export const promoting = fc.constant('all').map(
  fenced('promote', run => ({
    ask: async redis => {
      const won = await promote(redis, run.sale.id);
      return { outcomes: won.map(({ buyerId, unit }) => `${buyerId} ${unit}`), won };
    },
    expect: (model, { won = [] }) => model.promote(won.map(one => one.claimId)),
  })),
);

/** Takes a buyer off standby. */
export const leaving = buyer.map(
  fenced('leave-standby', (run, buyerId) => ({
    ask: async redis => ({ outcomes: [await leaveStandby(redis, run.sale.id, buyerId)] }),
    expect: model => [model.leaveStandby(buyerId)],
  })),
);

/** Reads the statuses of buyers. */
export const reading = fc.array(buyer, { minLength: 1, maxLength: 8 }).map(
  fenced('read-status', (run, buyerIds) => ({
    ask: async redis => ({ outcomes: await readStatuses(redis, run.sale.id, buyerIds) }),
    expect: model => buyerIds.map(buyerId => model.statusOf(buyerId)),
  })),
);

/** Chooses any claim so far, also an early one whose buyer has claimed or regrabbed since. */
const pickAnytime = fc.double({ min: 0, max: 1, noNaN: true });

/** Takes a unit again for late money. */
export const regrabbing = pickAnytime.map(
  fenced('regrab', (run, part) => {
    const [ended] = picked(run, [part]);
    if (!ended) return undefined;
    const { buyerId, claimId: endedClaimId } = ended;
    // The same id each time, so that the run also repeats a regrab.
    const claimId = `again-${endedClaimId}`;
    return {
      ask: async redis => {
        const outcome = await regrab(redis, run.sale.id, { buyerId, endedClaimId, claimId });
        return { outcomes: [outcome], won: outcome.kind === 'taken' ? [{ buyerId, claimId, unit: outcome.unit }] : [] };
      },
      expect: model => [model.regrab(buyerId, endedClaimId, claimId)],
    };
  }),
);

const REASONS: OrderReason[] = ['lost', 'unpaid', 'refunded_late_payment'];

/** Sets the reason of a claim that has ended. */
export const explaining = fc.tuple(pick, fc.constantFrom(...REASONS)).map(
  fenced('set-reason', (run, [part, reason]) => {
    const [ended] = picked(run, [part]);
    if (!ended) return undefined;
    const { buyerId, claimId } = ended;
    return {
      ask: async redis => ({ outcomes: [await setReason(redis, run.sale.id, { ...ended, reason })] }),
      expect: model => [model.setReason(buyerId, claimId, reason)],
    };
  }),
);

/** Corrects the number of strikes of a claim, as it was read or another one. */
export const recounting = fc.tuple(pick, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1 })).map(
  fenced('set-strikes', (run, [part, strikes, more]) => {
    const [one] = picked(run, [part]);
    if (!one || run.model.terms.unpaidLimit === 0) return undefined;
    const { buyerId, claimId } = one;
    const claim = { claimId, strikes: (run.model.claims.get(buyerId)?.strikes ?? 0) + more };
    return {
      ask: async redis => ({ outcomes: [await setStrikes(redis, run.sale.id, { buyerId, claim, strikes })] }),
      expect: model => [model.setStrikes(buyerId, claim, strikes)],
    };
  }),
);

/** Deletes a claim with its entries, if it is the buyer's latest. Returns whether it was. */
const LOSE = `
  local record = redis.call('HGET', KEYS[1], ARGV[1])
  local claim_id, unit, status = string.match(record or '', '^(%S+) (%S+) (%S+)')
  if claim_id ~= ARGV[2] then return 0 end
  local group, strikes = string.match(record, ' group=(%S+)'), string.match(record, ' strikes=(%d+)')
  if group and strikes then redis.call('HINCRBY', KEYS[5], 'u:' .. group, -strikes) end
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  if status == 'queued' or status == 'pending_payment' or status == 'paid' then
    redis.call('LPUSH', KEYS[3], unit)
    if group then redis.call('HINCRBY', KEYS[5], 'n:' .. group, -1) end
  end
  if redis.call('GET', KEYS[4]) == claim_id then redis.call('DEL', KEYS[4]) end
  return 1`;

/** Loses a claim of the run in Redis, with its unit's place and its lock. No script and no message tells of it. */
export const losing = pick.map(
  unfenced('lose', (run, part) => {
    const [one] = picked(run, [part]);
    if (!one) return undefined;
    const { buyerId, claimId } = one;
    const { claims, outbox, stock } = keysOf(run.sale.id);
    const [lock] = purchaseKeysOf(buyerId);
    return {
      ask: async redis => ({
        outcomes: [
          (await redis.eval(LOSE, 5, claims, outbox, stock, lock, groupsKeyOf(run.sale.id), buyerId, claimId)) === 1,
        ],
      }),
      expect: model => [model.lose(buyerId, claimId)],
    };
  }),
);

/** Restores a claim of the run, or a lost one: older or newer than the present claims, and of any unit. */
export const restoring = fc
  .record({
    lost: fc.option(fc.record({ buyerId: buyer, name: fc.constantFrom('0-lost', 'z-lost') })),
    part: pick,
    unit: fc.integer({ min: 1, max: 8 }),
    status: fc.constantFrom('queued', 'pending_payment', 'paid', 'cancelled', 'rejected', 'refunded'),
    more: fc.constantFrom<Partial<ClaimRecord>>({}, { payByMs: PAY_BY_MS }, { payByMs: PAY_BY_MS, reason: 'lost' }),
  })
  .map(
    fenced('restore-claim', (run, { lost, part, unit, status, more }) => {
      const [one] = lost ? [{ buyerId: lost.buyerId, claimId: named(run, lost.name), unit }] : picked(run, [part]);
      if (!one) return undefined;
      const { buyerId, ...claim } = { ...one, status, ...more };
      return {
        ask: async redis => {
          const outcome = await restoreClaim(redis, run.sale.id, { buyerId, ...claim });
          return { outcomes: [outcome], won: outcome === 'restored' ? [one] : [] };
        },
        expect: model => [model.restore(buyerId, claim)],
      };
    }),
  );
