import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { type FakeProvider, startFakeProvider } from '#stack/fake-provider/start.js';
import type { Connections } from '#stack/stores/connections.js';
import { connectStores } from '#stack/stores/connections.js';
import { eventually } from '../support/eventually.js';
import { buyers, win } from '../support/sales.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { provedMoney } from './money-proof.js';
import { NaiveShop } from './naive-shop.js';

const DATABASE_CONNECTIONS = 24;
const BATCH = 100;

/** The price of a unit, in minor units. */
export const PRICE = 500;
/** The number of buyers of the naive shop. A few are enough to harm it. */
export const FEW = 50;

/** Dropline and the naive shop on the same stores, and the losses of the naive shop. */
export interface Arena {
  stack: TestStack;
  fake: FakeProvider;
  naive: NaiveShop;
  /** Runs steps beside the worker, so that two of them race more closely than HTTP allows. */
  ctx: Connections;
  /** The losses of the naive shop, a line for each attack that harmed it. */
  losses: string[];
  /** Notes a loss. */
  lost(attack: string, loss: string): void;
  countOrders(saleId: string, status: string): Promise<number>;
  /** Expects that the audits of these sales hold, and the rules of money over all accounts. */
  expectProof(...saleIds: string[]): Promise<void>;
  /** Lets a buyer win the only unit of a sale and ask to pay at the provider. */
  atProvider(buyer: string, wishes?: Partial<Sale>): Promise<{ saleId: string; orderId: string }>;
  /** Opens a sale and places unpaid orders of buyers with money for one unit each. */
  unpaid(count: number, name: string): Promise<{ saleId: string; claims: Claim[] }>;
}

/** Starts both shops before the tests of the calling file. Afterwards it prints the losses and stops both. */
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

type Calls = Pick<Arena, 'lost' | 'countOrders' | 'expectProof' | 'unpaid' | 'atProvider'>;

function callsOf({ stack, ctx, losses, fake }: Arena): Calls {
  return {
    async atProvider(buyer, wishes = {}) {
      const sale = { units: 1, priceMinor: PRICE, provider: 'signed-webhook', standbyFactor: 0, ...wishes } as const;
      const saleId = await stack.createSale(sale);
      await stack.buy(buyer, saleId);
      const orderId = await eventually(async () => {
        const { status, claimId = '' } = await stack.status(buyer, saleId);
        expect(status).toBe('pending_payment');
        return claimId;
      });
      await stack.pay(buyer, saleId);
      await eventually(async () => expect((await fake.payments()).map(one => one.orderId)).toContain(orderId));
      return { saleId, orderId };
    },
    lost: (attack, loss) => void losses.push(`${attack}: ${loss}`),
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

/** Runs the same work for each entry, with `lanes` at a time. */
export async function inLanes<T>(all: T[], lanes: number, run: (one: T) => Promise<unknown>): Promise<void> {
  const queue = [...all];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) await run(one);
    }),
  );
}
