import fc from 'fast-check';
import { claim } from '#core/redis/claims/claim.js';
import { keysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, setSale } from '#core/redis/sale/sale.js';
import { behindFence, runScript } from '#core/redis/scripts.js';
import { aSale } from '../stores/stores.js';
import { told } from './buyer-commands.js';
import { buyer, fenced, named, purchaseKeysOf, unfenced } from './command.js';

// The scripts that are about a whole sale, and what happens to buyers outside of it.

/** One call of the script: `restock` asks until nothing is added, and the gate may be closed in between. */
export const restocking = fc.integer({ min: -1, max: 2 }).map(
  fenced('restock', ({ sale, model }, more) => {
    const units = model.units + more;
    const keys = keysOf(sale.id);
    return {
      ask: async redis => {
        const args = [units, units * sale.standbyFactor];
        return {
          told: behindFence(await runScript(redis, 'restock', { keys: [keys.sale, keys.stock], args }), sale.id),
        };
      },
      expect: model => [model.restock(units)],
    };
  }),
);

export const switching = fc
  .tuple(fc.constantFrom('open', 'open', 'open', 'paused', 'closed'), fc.option(fc.integer({ min: -1, max: 1 })))
  .map(
    unfenced('set-sale', ({ sale, model }, [state, later]) => {
      const generation = later === null ? undefined : model.generation + later;
      const change = generation === undefined ? { state } : { state, stateGeneration: generation };
      return {
        ask: async redis => ({ told: [await setSale(redis, sale.id, change, { generation })] }),
        expect: model => {
          model.setState(state, generation);
          return [true];
        },
      };
    }),
  );

export const closing = fc.constant('the gate').map(
  unfenced('set-sale', run => {
    const gate = named(run, 'gate');
    return {
      ask: async redis => ({ told: [await setSale(redis, run.sale.id, { runId: gate })] }),
      expect: model => {
        model.closeGate(gate);
        return [true];
      },
    };
  }),
);

/**
 * Puts the sale as it is seen now in place of what it is by then. That must do nothing without a closed gate, or behind another's:
 * the first is tried only sometimes, as it takes ten commands.
 */
export const reopening = fc.constantFrom('at any rate', ...Array.from({ length: 9 }, () => 'behind a gate')).map(
  unfenced('open-sale', ({ sale, model }, when) => {
    if (model.gate === '' && when === 'behind a gate') return undefined;
    const seen = model.copy();
    const { units, state, generation, withdrawn, standby, gate } = seen;
    const claims = [...seen.claims].map(([buyerId, record]) => ({ buyerId, ...record }));
    const outbox = [...seen.outbox].map((buyerId, i) => ({ buyerId, wonAtMs: i + 1 }));
    const start = { claims, outbox, standby, withdrawn };
    return {
      ask: async redis => ({
        told: [await openSale(redis, { ...sale, units, state, generation }, { state: start, gate })],
      }),
      expect: model => [model.reopen(seen)],
    };
  }),
);

/** A sale that is there for one purchase: of the buyer's, only what the rules remember is left of it. */
export const buyingElsewhere = buyer.map(
  unfenced('claim in another sale', (run, buyerId) => {
    const claimId = named(run, 'elsewhere');
    const { onePurchaseAtATime, minSecondsBetweenPurchases } = run.sale;
    return {
      ask: async redis => {
        const other = aSale({ units: 1, onePurchaseAtATime, minSecondsBetweenPurchases });
        await openSale(redis, other);
        const outcomes = await claim(redis, other.id, [{ buyerId, claimId }]);
        await dropSale(redis, other.id);
        return { told: outcomes.map(told) };
      },
      expect: model => [model.buyElsewhere(buyerId, claimId)],
    };
  }),
);

/** As their time would end them. */
export const outwaiting = buyer.map(
  unfenced('outwait', (_, buyerId) => ({
    ask: async redis => ({ told: [(await redis.del(...purchaseKeysOf(buyerId))) >= 0] }),
    expect: model => {
      model.outwait(buyerId);
      return [true];
    },
  })),
);
