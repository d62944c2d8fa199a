import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Claim } from '#core/rules/claim.js';
import type { StepContext } from '#core/steps/context.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import { connectStores } from '#stack/stores/connections.js';
import { buyers, win } from '../support/sales.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { provedMoney } from './money-proof.js';
import { NaiveShop } from './naive-shop.js';

const DATABASE_CONNECTIONS = 24;
const BATCH = 100;

export const PRICE = 500;
/** What the naive shop gets: it fails at once. */
export const FEW = 50;

/** Both shops, side by side on the same stores, and what the naive one has lost. */
export interface Arena {
  stack: TestStack;
  fake: FakeProvider;
  naive: NaiveShop;
  /** For attacks that race two steps at one instant, closer than HTTP allows, beside the running worker. */
  ctx: StepContext;
  /** What the naive shop lost, a line for each attack that it did not hold against. */
  losses: string[];
  /** Notes one. */
  lost(attack: string, what: string): void;
  countOrders(saleId: string, status: string): Promise<number>;
  /** Expects that the audits of these sales hold, and the rules of money over everything there is. */
  expectProof(...saleIds: string[]): Promise<void>;
  /** Orders of a new sale, placed and unpaid, of buyers with money for one each. */
  unpaid(count: number, name: string): Promise<{ saleId: string; claims: Claim[] }>;
}

/** Starts everything before the tests of the file that calls it, and ends it after, telling what was lost. */
export function useArena(): Arena {
  const arena = { losses: [] as string[] } as Arena;
  const endings: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    arena.fake = await startFakeProvider('http://127.0.0.1:9/');
    endings.unshift(() => arena.fake.stop());
    arena.stack = await startTestStack({ env: arena.fake.settings });
    endings.unshift(() => arena.stack.stop());
    await arena.fake.mood({ webhook: `${arena.stack.baseUrl}/webhooks/payments/signed-webhook` });
    const { redisUrl, databaseUrl } = arena.stack.stores;
    const ctx = await connectStores(redisUrl, databaseUrl, DATABASE_CONNECTIONS);
    endings.unshift(() => ctx.close());
    arena.ctx = ctx;
    arena.naive = new NaiveShop(ctx.db);
    await arena.naive.open();
    Object.assign(arena, callsOf(arena));
  });
  afterAll(async () => {
    process.stderr.write(
      `The naive shop, under the same attacks:\n${arena.losses.map(line => `  ${line}\n`).join('')}`,
    );
    for (const end of endings) await end();
  });
  return arena;
}

function callsOf({ stack, ctx, losses }: Arena): Pick<Arena, 'lost' | 'countOrders' | 'expectProof' | 'unpaid'> {
  return {
    lost: (attack, what) => void losses.push(`${attack}: ${what}`),
    countOrders: (saleId, status) => ctx.db.order.count({ where: { saleId, status } }),
    async expectProof(...saleIds) {
      for (const saleId of saleIds) expect((await stack.audit(saleId)).violations).toEqual([]);
      const broken = Object.entries(await provedMoney(ctx.db)).filter(([, count]) => count !== 0);
      expect(broken).toEqual([]);
    },
    async unpaid(count, name) {
      const saleId = await stack.createSale({ units: count, priceMinor: PRICE, standbyFactor: 0 });
      const names = buyers(count, name);
      await stack.credit(names, PRICE);
      const claims: Claim[] = [];
      for (let i = 0; i < count; i += BATCH) {
        const won = await win(ctx, { id: saleId }, ...names.slice(i, i + BATCH));
        await placeOrders(ctx, { saleId, claims: won });
        claims.push(...won);
      }
      return { saleId, claims };
    },
  };
}

/** Does the same for all, so many at a time. */
export async function inLanes<T>(all: T[], lanes: number, run: (one: T) => Promise<unknown>): Promise<void> {
  const queue = [...all];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) await run(one);
    }),
  );
}
