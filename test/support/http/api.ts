import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import express from 'express';
import { issueToken } from '#core/identity/token.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createApp } from '../../../apps/api/app.js';
import { type ApiConfig, type ApiContext, closeContext, createContext } from '../../../apps/api/context.js';
import type { Figures } from '../../../apps/api/limits/figures.js';
import { createFirstListener, drain, startServer } from '../../../apps/api/server.js';
import { eventually } from '../eventually.js';
import { aSale } from '../sales.js';
import { streamOf, type TestStream } from './stream.js';

/** The secret of the buyers' tokens. */
export const SECRET = 'a secret of at least 32 characters.';

/** The record of a claim whose order a worker has placed. */
export const PLACED = { status: 'pending_payment', payByMs: 1_900_000_000_000 } as const;

const READY_MS = 60_000;
const DRAIN_MS = 1_000;

/** A whole answer of the API. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body of a JSON answer, else an empty object. */
  body: Record<string, unknown>;
}

/**
 * Settings other than the defaults. `mounted` puts the calls that come before Express into an Express application.
 * `figures` are the limits on the requests of each buyer: by default none that a test could reach, as tests ask faster
 * than a person.
 */
export type ApiSettings = Partial<ApiConfig> & { mounted?: boolean; figures?: Figures };

const NEVER = { burst: 1_000_000, perSecond: 1_000_000 };
const UNLIMITED: Figures = { clicks: NEVER, polls: NEVER, waits: NEVER, orders: NEVER, passes: NEVER };

interface Parts {
  dir: string;
  redisServer: RedisServer;
  redis: Redis;
  ctx: ApiContext;
  server: Awaited<ReturnType<typeof startServer>>;
}

/** An API in the test's own process, on the private Redis of one test file. There is no Postgres. */
export class TestApi {
  #parts: Parts | undefined;
  /** The last part first, so that a failed start ends what it has started. */
  readonly #endings: (() => Promise<unknown>)[] = [];

  get port(): number {
    return this.#started.server.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get ctx(): ApiContext {
    return this.#started.ctx;
  }

  /** A connection of the test, separate from those of the API. */
  get redis(): Redis {
    return this.#started.redis;
  }

  get redisServer(): RedisServer {
    return this.#started.redisServer;
  }

  get #started(): Parts {
    if (!this.#parts) throw new Error('the API starts before the first test');
    return this.#parts;
  }

  async start(settings: ApiSettings): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), 'dropline-api-'));
    this.#endings.unshift(() => rm(dir, { recursive: true, force: true }));
    const redisServer = await startRedis({ dir });
    this.#endings.unshift(() => (this.#parts?.redisServer ?? redisServer).stop());
    const redis = connectRedis(redisServer.url, 'steps', () => undefined);
    this.#endings.unshift(async () => redis.disconnect());
    defineScripts(redis);
    const ctx = createContext(apiConfigOf(redisServer.url, settings), settings.figures ?? UNLIMITED);
    this.#endings.unshift(() => closeContext(ctx));
    const server = await startServer(ctx, settings.mounted ? mounted(ctx) : undefined);
    this.#endings.unshift(() => drain(ctx, server, DRAIN_MS));
    this.#parts = { dir, redisServer, redis, ctx, server };
    await this.#untilReady();
  }

  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0)) await end();
  }

  /** Starts Redis again on its folder and port, and waits until test and API are connected. */
  async startRedisAgain(): Promise<void> {
    const { dir, redisServer } = this.#started;
    this.#parts = { ...this.#started, redisServer: await startRedis({ dir, port: redisServer.port }) };
    await this.#untilReady();
  }

  /** Loads a sale that is open now. */
  async open(wanted?: Partial<Sale>): Promise<Sale> {
    const sale = aSale(wanted);
    await openSale(this.redis, sale);
    return sale;
  }

  /** Lets a buyer win a unit, by a click. */
  async win(sale: Sale, buyerId: string): Promise<Claim> {
    const { body } = await this.post(`/buy/${sale.id}`, buyerId);
    return { buyerId, claimId: String(body.claimId), unit: Number(body.unit) };
  }

  /** Opens an event stream about a buyer's order. */
  stream(sale: Sale, buyerId: string, headers: Record<string, string> = {}): TestStream {
    return streamOf(`${this.url}/order-status/${sale.id}`, { ...bearer(buyerId), ...headers });
  }

  /** @param buyerId without a buyer the request has no token */
  get(path: string, buyerId?: string): Promise<Answer> {
    return this.send(path, { headers: bearer(buyerId) });
  }

  /** @param buyerId without a buyer the request has no token */
  post(path: string, buyerId?: string): Promise<Answer> {
    return this.send(path, { method: 'POST', headers: bearer(buyerId) });
  }

  async send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : {} };
  }

  async #untilReady(): Promise<void> {
    await waitUntilReady(this.redis, READY_MS);
    await eventually(async () => {
      const { status } = await this.get('/readyz');
      if (status !== 200) throw new Error(`not ready: ${status}`);
    });
  }
}

/**
 * Starts an API before the tests of the calling file, and stops it afterwards.
 *
 * @returns the API, usable once the tests run
 */
export function useApi(settings: ApiSettings = {}): TestApi {
  const api = new TestApi();
  beforeAll(() => api.start(settings));
  afterAll(() => api.stop());
  return api;
}

/** Returns the settings of an API on a Redis. */
export function apiConfigOf(REDIS_URL: string, settings: ApiSettings = {}): ApiConfig {
  return {
    REDIS_URL,
    REDIS_SENTINEL_PASSWORD: undefined,
    REDIS_CACERT: undefined,
    REDIS_CERT: undefined,
    REDIS_KEY: undefined,
    REDIS_SNI: undefined,
    AUTH_SECRET: SECRET,
    AUTH_SECRET_OTHER: settings.AUTH_SECRET_OTHER,
    LOG_LEVEL: 'silent',
    PORT: 0,
    HOST: '127.0.0.1',
    METRICS_PORT: 0,
    METRICS_HOST: '127.0.0.1',
    GUEST_TOKENS: settings.GUEST_TOKENS ?? false,
    PAYMENT_WEBHOOK_SECRETS: settings.PAYMENT_WEBHOOK_SECRETS,
    AUTH_JWKS_URL: settings.AUTH_JWKS_URL,
    AUTH_ISSUER: settings.AUTH_ISSUER,
    AUTH_AUDIENCE: settings.AUTH_AUDIENCE,
    AUTH_BUYER_CLAIM: settings.AUTH_BUYER_CLAIM ?? 'sub',
    AUTH_LIFE_MAX_DAYS: settings.AUTH_LIFE_MAX_DAYS ?? 31,
    HSTS: true,
  };
}

/** Mounts everything in one Express, like a shop that builds the calls of a crowd into its own application. */
function mounted(ctx: ApiContext): RequestListener {
  const first = createFirstListener(ctx);
  const app = express().use((req, res, next) => {
    if (!first(req, res)) next();
  });
  return app.use(createApp(ctx));
}

/** Returns the header with a buyer's token; without a buyer no header. */
export function bearer(buyerId?: string): Record<string, string> {
  return buyerId === undefined ? {} : { authorization: `Bearer ${issueToken(SECRET, buyerId)}` };
}
