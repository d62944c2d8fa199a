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
import type { Sale } from '#core/rules/sale.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createApp } from '../../../apps/api/app.js';
import { type ApiConfig, type ApiContext, closeContext, createContext } from '../../../apps/api/context.js';
import { createFirstListener, drain, startServer } from '../../../apps/api/server.js';
import { eventually } from '../eventually.js';
import { aSale } from '../stores/stores.js';

export const SECRET = 'a secret of at least 32 characters.';
const READY_MS = 10_000;

/** An answer of the API, read whole. */
export interface Answer {
  status: number;
  headers: Headers;
  /** The body, when it is JSON. */
  body: Record<string, unknown>;
}

/** An API in this process, on a Redis that belongs to one test file. There is no Postgres anywhere near it. */
export interface TestApi {
  url: string;
  port: number;
  ctx: ApiContext;
  /** A connection of the test's own. */
  redis: Redis;
  redisServer: RedisServer;
  /** Starts Redis again on its folder and port, and waits until both sides are connected. */
  startRedisAgain(): Promise<void>;
  /** Loads a sale that is open now. */
  open(wanted?: Partial<Sale>): Promise<Sale>;
  get(path: string, buyerId?: string): Promise<Answer>;
  post(path: string, buyerId?: string): Promise<Answer>;
  send(path: string, init: RequestInit): Promise<Answer>;
}

/**
 * Starts an API before the tests of the file that calls it, and ends it after.
 *
 * @param settings other than the defaults; `mounted` for the calls that are answered before Express mounted in it
 * @returns the API; it is there once the tests run
 */
export function useApi(settings: Partial<ApiConfig> & { mounted?: boolean } = {}): TestApi {
  const api = {} as TestApi;
  const endings: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'dropline-api-'));
    endings.unshift(() => rm(dir, { recursive: true, force: true }));
    api.redisServer = await startRedis({ dir });
    endings.unshift(() => api.redisServer.stop());
    api.redis = connectRedis(api.redisServer.url, 'steps', () => undefined);
    endings.unshift(async () => api.redis.disconnect());
    defineScripts(api.redis);
    api.ctx = createContext({
      REDIS_URL: api.redisServer.url,
      AUTH_SECRET: SECRET,
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
    });
    endings.unshift(() => closeContext(api.ctx));
    const server = await startServer(api.ctx, settings.mounted ? mounted(api.ctx) : undefined);
    endings.unshift(() => drain(api.ctx, server, 1_000));
    Object.assign(api, { port: server.port, url: `http://127.0.0.1:${server.port}` }, callsOf(api));
    api.startRedisAgain = async () => {
      api.redisServer = await startRedis({ dir, port: api.redisServer.port });
      await untilReady(api);
    };
    await untilReady(api);
  });
  afterAll(async () => {
    for (const end of endings) await end();
  });
  return api;
}

/** Everything in one Express, as somebody would have it who builds the calls of a crowd into an application of their own. */
function mounted(ctx: ApiContext): RequestListener {
  const first = createFirstListener(ctx);
  const app = express().use((req, res, next) => {
    if (!first(req, res)) next();
  });
  return app.use(createApp(ctx));
}

async function untilReady(api: TestApi): Promise<void> {
  await waitUntilReady(api.redis, READY_MS);
  await eventually(async () => {
    const { status } = await api.get('/readyz');
    if (status !== 200) throw new Error(`not ready: ${status}`);
  });
}

function callsOf(api: TestApi): Pick<TestApi, 'open' | 'get' | 'post' | 'send'> {
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(api.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : {} };
  };
  return {
    send,
    get: (path, buyerId) => send(path, { headers: bearer(buyerId) }),
    post: (path, buyerId) => send(path, { method: 'POST', headers: bearer(buyerId) }),
    async open(wanted) {
      const sale = aSale(wanted);
      await openSale(api.redis, sale);
      return sale;
    },
  };
}

/** @returns the headers of a buyer, or of nobody */
export function bearer(buyerId?: string): Record<string, string> {
  return buyerId === undefined ? {} : { authorization: `Bearer ${issueToken(SECRET, buyerId)}` };
}
