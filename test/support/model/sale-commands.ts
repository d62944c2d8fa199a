import fc from 'fast-check';
import { newClaimId } from '#core/identity/claim-id.js';
import { claim } from '#core/redis/claims/claim.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, setSale } from '#core/redis/sale/sale.js';
import { behindFence, runScript } from '#core/redis/scripts.js';
import { aSale } from '../sales.js';
import { wordsOf } from './buyer-commands.js';
import { buyer, fenced, named, purchaseKeysOf, unfenced } from './command.js';

// Commands about a whole sale, and about buyers outside of the sale.

/** Adds units by one call of the script. `restock` of core repeats the call, and the gate may close in between. */
export const restocking = fc.integer({ min: -1, max: 2 }).map(
  fenced('restock', ({ sale, model }, more) => {
    const units = model.units + more;
    const keys = keysOf(sale.id);
    return {
      ask: async redis => {
        const args = [units, units * sale.standbyFactor];
        return {
          outcomes: behindFence(await runScript(redis, 'restock', { keys: [keys.sale, keys.stock], args }), sale.id),
        };
      },
      expect: model => [model.restock(units)],
    };
  }),
);

/** Changes the state of the sale. */
export const switching = fc
  .tuple(fc.constantFrom('open', 'open', 'open', 'paused', 'closed'), fc.option(fc.integer({ min: -1, max: 1 })))
  .map(
    unfenced('set-sale', ({ sale, model }, [state, later]) => {
      const generation = later === null ? undefined : model.generation + later;
      const change = generation === undefined ? { state } : { state, stateGeneration: generation };
      return {
        ask: async redis => ({ outcomes: [await setSale(redis, sale.id, change, { generation })] }),
        expect: model => {
          model.setState(state, generation);
          return [true];
        },
      };
    }),
  );

/** Closes the gate. */
export const closing = fc.constant('the gate').map(
  unfenced('set-sale', run => {
    const gate = named(run, 'gate');
    return {
      ask: async redis => ({ outcomes: [await setSale(redis, run.sale.id, { runId: gate })] }),
      expect: model => {
        model.closeGate(gate);
        return [true];
      },
    };
  }),
);

/**
 * Replaces the sale by its state at the time of preparing. Nothing may happen without a closed gate, or behind another gate.
 * The case without a gate is rare here, because this command costs as much as ten others.
 */
export const reopening = fc.constantFrom('always', ...Array.from({ length: 9 }, () => 'behind a gate')).map(
  unfenced('open-sale', ({ sale, model }, when) => {
    if (model.gate === '' && when === 'behind a gate') return undefined;
    const seen = model.copy();
    const { units, state, generation, gate } = seen;
    const standby = seen.standby.slice(0, seen.ahead);
    const behind = seen.standby.slice(seen.ahead);
    const claims = [...seen.claims].map(([buyerId, record]) => ({ buyerId, ...record }));
    const outbox = [...seen.outbox].map((buyerId, i) => ({ buyerId, wonAtMs: i + 1 }));
    const start = { claims, outbox, standby, behind };
    return {
      ask: async redis => ({
        outcomes: [await openSale(redis, { ...sale, units, state, generation }, { state: start, gate })],
      }),
      expect: model => [model.reopen(seen)],
    };
  }),
);

/** Buys in another sale, which is then dropped. Only the lock and the pause of the buyer stay. */
export const buyingElsewhere = buyer.map(
  unfenced('claim in another sale', (run, buyerId) => {
    let claimId = newClaimId();
    const { onePurchaseAtATime, minSecondsBetweenPurchases } = run.sale;
    return {
      ask: async redis => {
        const other = aSale({ units: 1, onePurchaseAtATime, minSecondsBetweenPurchases });
        await openSale(redis, other);
        const outcomes = await claim(redis, other.id, [{ buyerId, claimId }]);
        await dropSale(redis, other.id);
        const [outcome] = outcomes;
        if (outcome?.kind === 'won') claimId = outcome.claim.claimId;
        return { outcomes: outcomes.map(wordsOf) };
      },
      expect: model => [model.purchases.buyElsewhere(buyerId, claimId)],
    };
  }),
);

/** Ends the lock and the pause of a buyer, as time would. */
export const outwaiting = buyer.map(
  unfenced('outwait', (_, buyerId) => ({
    ask: async redis => ({ outcomes: [(await redis.del(...purchaseKeysOf(buyerId))) >= 0] }),
    expect: model => {
      model.purchases.outwait(buyerId);
      return [true];
    },
  })),
);
