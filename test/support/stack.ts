import { type Audit, audit } from '#core/comparison/audit.js';
import { issueToken } from '#core/identity/token.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { openDrop, type SaleWishes } from '#stack/crowd/drop.js';
import { type Answer, createStorefront } from '#stack/crowd/storefront.js';
import { freePort } from '#stack/processes/free-port.js';
import type { Supervised } from '#stack/processes/supervisor.js';
import { newSecrets } from '#stack/secrets.js';
import { type Stack, startStack } from '#stack/stack.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { build } from './build.js';

const CONNECTIONS = 8;
const SECOND_MS = 1_000;
const CURRENCY = 'EUR';

export interface TestStackOptions {
  /** 1 if not given. */
  apis?: number;
  /** 1 if not given. */
  workers?: number;
  /** Whether the admin runs, too; it doesn't if not given. */
  admin?: boolean;
  /** Settings of all processes. */
  env?: Record<string, string>;
  /** Where the processes find the stores, if not where the test does. */
  urls?: (stores: PrivateStores) => Promise<{ redisUrl: string; databaseUrl: string }>;
  /** Where the processes' own output goes; nowhere if not given. */
  log?: NodeJS.WritableStream;
}

/** A sale for a test; open now, if it isn't told when. */
export type TestSale = SaleWishes & { opensInSeconds?: number };

/** A process that a test may kill; whoever else kills it, its supervisor starts it again. */
export interface Killable {
  pid(): number | undefined;
  /** kill -9; it stays down. */
  kill9(): Promise<void>;
  /** Starts it again, and waits until it is ready. */
  restart(): Promise<void>;
}

/** The compiled processes on stores of their own. */
export interface TestStack {
  baseUrl: string;
  baseUrls: string[];
  adminUrl: string | undefined;
  adminToken: string;
  authSecret: string;
  stores: PrivateStores;
  connections: Connections;
  worker: Killable;
  workers: Killable[];
  apis: Killable[];
  /** Opens a sale and returns its id. */
  createSale(sale: TestSale): Promise<string>;
  token(buyerId: string): string;
  /** Puts money into wallets. */
  credit(buyerIds: string | string[], amountMinor: number): Promise<void>;
  buy(buyerId: string, saleId: string): Promise<Answer>;
  status(buyerId: string, saleId: string): Promise<Answer>;
  pay(buyerId: string, saleId: string): Promise<Answer>;
  cancel(buyerId: string, saleId: string): Promise<Answer>;
  audit(saleId: string): Promise<Audit>;
  stop(): Promise<void>;
}

function ports(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}

const killable = (process: Supervised): Killable => ({
  pid: process.pid,
  kill9: process.kill,
  async restart() {
    await process.stop();
    await process.start();
  },
});

/** Starts private stores and the processes on them; stop() ends all of it. */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  await build();
  const stores = await startPrivateStores();
  try {
    const { redisUrl, databaseUrl } = stores;
    const secrets = newSecrets();
    const stack = await startStack({
      ...(options.urls ? await options.urls(stores) : { redisUrl, databaseUrl }),
      ...(options.log ? { log: options.log } : {}),
      secrets,
      ports: await ports(options.apis ?? 1),
      ...(options.admin ? { adminPort: await freePort() } : {}),
      workers: options.workers ?? 1,
      settings: { LOG_LEVEL: 'warn', GUEST_TOKENS: '1', ...options.env },
    });
    const connections = await connectStores(redisUrl, databaseUrl);
    return {
      ...handlesOf(stack),
      ...callsTo(stack, secrets.AUTH_SECRET, connections),
      adminToken: secrets.ADMIN_TOKEN,
      authSecret: secrets.AUTH_SECRET,
      stores,
      connections,
      async stop() {
        await connections.close();
        await stack.stop();
        await stores.stop();
      },
    };
  } catch (error) {
    await stores.stop();
    throw error;
  }
}

function handlesOf(stack: Stack) {
  const [worker] = stack.workers;
  const [baseUrl] = stack.baseUrls;
  if (!worker || !baseUrl) throw new Error('a test stack has an API and a worker');
  return {
    baseUrl,
    baseUrls: stack.baseUrls,
    adminUrl: stack.adminUrl,
    worker: killable(worker),
    workers: stack.workers.map(killable),
    apis: stack.apis.map(killable),
  };
}

function callsTo(stack: Stack, authSecret: string, connections: Connections) {
  const shop = createStorefront(stack.baseUrls[0] ?? '', CONNECTIONS);
  const token = (buyerId: string) => issueToken(authSecret, buyerId);
  return {
    token,
    async createSale({ opensInSeconds, ...wishes }: TestSale): Promise<string> {
      const opensAtMs = Date.now() + (opensInSeconds ?? 0) * SECOND_MS;
      return (await openDrop(connections, { opensAtMs, ...wishes })).id;
    },
    credit: (buyerIds: string | string[], amountMinor: number) =>
      creditWallets(connections.db, [buyerIds].flat(), { amountMinor, currency: CURRENCY }),
    buy: (buyerId: string, saleId: string) => shop.ask('buy', saleId, token(buyerId)),
    status: (buyerId: string, saleId: string) => shop.ask('order-status', saleId, token(buyerId)),
    pay: (buyerId: string, saleId: string) => shop.ask('pay', saleId, token(buyerId)),
    cancel: (buyerId: string, saleId: string) => shop.ask('cancel', saleId, token(buyerId)),
    async audit(saleId: string): Promise<Audit> {
      const proof = await audit(connections.db, connections.redis, saleId);
      if (!proof) throw new Error(`there is no sale ${saleId}`);
      return proof;
    },
  };
}
