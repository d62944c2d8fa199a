import { MINUTE_MS } from '#core/rules/clock.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import { freePort } from '#stack/processes/free-port.js';
import { createSecrets } from '#stack/secrets.js';
import { type Stack, startStack } from '#stack/stack.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { startPrivateStores } from '#stack/stores/private-stores.js';
import { type Edge, startEdge } from '../edge/rig/edge.js';
import { build } from '../support/build.js';
import type { Door, Ground, Route } from './inputs/ground.js';
import type { ProcessLog } from './process-log.js';

/** Every process at its doors, on private stores. */
export interface Rig {
  ports: Readonly<Record<Door, number>>;
  ground: Ground;
  /** The sale in which honest buyers buy. No input names it. */
  honestSaleId: string;
  edge: Edge;
  /** The processes that read what comes in at the doors: each API, and the admin. */
  processes: Pick<Stack['apis'][number], 'name' | 'pid'>[];
  stop(): Promise<void>;
}

const WEBHOOK_SECRET = 'the key of the provider in a fuzz run';
/** More than the buyers of the longest run. */
const UNITS = 100_000;
/** Operators close sales, so there are many. */
const DESKS = 30;
const BUYER_ID = 'buyer-1';
const ORDER_ID = '00000000-0000-4000-8000-000000000000';

/** Paths of the API that its description at /openapi.json leaves out, and those that nginx keeps for itself. */
const API_PATHS = [
  '/',
  '/s/{id}',
  '/assets/{id}',
  '/openapi.json',
  '/nothing/{id}',
  '/favicon.ico',
  '/.well-known/{id}',
];
const NGINX_PATHS = ['/metrics', '/waiting/buy', '/waiting/order-status', '/problems/not_found.html', '/problems/{id}'];

const CONSOLE_READS = [
  '/',
  '/login',
  '/admin.css',
  '/healthz',
  '/readyz',
  '/sales',
  '/sales/{id}',
  '/sales/{id}/audit',
  '/money',
  '/buyers',
  '/buyers/{id}',
  '/queues',
  '/queues/',
  '/queues/api/queues',
  '/queues/queue/{id}',
  '/queues/queue/{id}/{id}',
  '/queues/static/{id}',
  '/queues/api/queues/{id}/{id}',
  '/nothing',
];
const CONSOLE_CHANGES = [
  '/login',
  '/logout',
  '/sales/{id}/pause',
  '/sales/{id}/resume',
  '/sales/{id}/close',
  '/sales/{id}/restock',
  '/sales/{id}/{id}',
  '/orders/{id}/refund',
  '/webhooks/retry',
  '/queues/api/queues/{id}/{id}',
  '/queues/api/queues/{id}/{id}/retry',
];

/**
 * Starts nginx, two APIs, a worker and the admin, and opens sales in every state.
 *
 * @param log receives the output of the processes
 * @param tell receives a line for each process that dies
 */
export async function startRig(log: ProcessLog, tell: (line: string) => void): Promise<Rig> {
  await build();
  const endings: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of endings.splice(0)) await end();
  };
  try {
    const stores = await startPrivateStores();
    endings.unshift(() => stores.stop());
    const { redisUrl, databaseUrl } = stores;
    const secrets = createSecrets();
    const adminPort = await freePort();
    const settings = { LOG_LEVEL: 'info', GUEST_TOKENS: '1', PAYMENT_WEBHOOK_SECRETS: WEBHOOK_SECRET };
    const ports = [await freePort(), await freePort()];
    const stack = await startStack({
      redisUrl,
      databaseUrl,
      secrets,
      ports,
      adminPort,
      settings,
      log: log.stream,
      tell,
    });
    endings.unshift(() => stack.stop());
    const edge = await startEdge({ apis: ports.map(port => `127.0.0.1:${port}`) });
    endings.unshift(() => edge.stop());
    const connections = await connectStores(redisUrl, databaseUrl);
    endings.unshift(() => connections.close());
    const operatorCookie = await logIn(stack.adminUrl ?? '', secrets.ADMIN_TOKEN);
    const { AUTH_SECRET: authSecret, ADMIN_TOKEN: adminToken } = secrets;
    return {
      ports: { nginx: edge.port, api: ports[0] ?? 0, admin: adminPort },
      ground: {
        routes: await routesOf(stack.baseUrls[0] ?? ''),
        ids: await openSales(connections),
        secrets: { authSecret, adminToken, webhookSecret: WEBHOOK_SECRET, operatorCookie },
      },
      honestSaleId: (await createOpenSale(connections, { units: UNITS })).id,
      edge,
      processes: [...stack.apis, ...(stack.admin ? [stack.admin] : [])],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function logIn(adminUrl: string, token: string): Promise<string> {
  const body = new URLSearchParams({ token });
  const answer = await fetch(`${adminUrl}/login`, { method: 'POST', redirect: 'manual', body });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (!cookie) throw new Error(`the operator could not log in: ${answer.status} ${await answer.text()}`);
  return cookie;
}

async function openSales(connections: Connections): Promise<Ground['ids']> {
  const nowMs = Date.now();
  const open = (id: string, wishes: object) =>
    createOpenSale(connections, { id, units: 1, standbyFactor: 0, ...wishes });
  await open('fuzz-open', { units: UNITS });
  await open('fuzz-standby', { standbyFactor: 1_000 });
  await open('fuzz-sold-out', {});
  await open('fuzz-later', { opensAtMs: nowMs + MINUTE_MS });
  await open('fuzz-over', { opensAtMs: nowMs - 2 * MINUTE_MS, closesAtMs: nowMs - MINUTE_MS });
  const desks = Array.from({ length: DESKS }, (_, index) => `fuzz-desk-${index}`);
  for (const id of desks) await open(id, {});
  const buying = ['fuzz-open', 'fuzz-standby', 'fuzz-sold-out', 'fuzz-later', 'fuzz-over'];
  return { nginx: buying, api: buying, admin: [...desks, BUYER_ID, ORDER_ID] };
}

/** Reads the routes of the API from its own description. */
async function routesOf(apiUrl: string): Promise<Ground['routes']> {
  const answer = await fetch(`${apiUrl}/openapi.json`);
  const { paths } = (await answer.json()) as { paths: Record<string, Record<string, object>> };
  const described = Object.entries(paths).flatMap(([path, calls]) =>
    Object.keys(calls).map(method => route(method, path)),
  );
  const reads = (all: string[]) => all.map(path => route('get', path));
  const api = [...described, ...reads(API_PATHS)];
  return {
    api,
    nginx: [...api, ...reads(NGINX_PATHS)],
    admin: [...reads(CONSOLE_READS), ...CONSOLE_CHANGES.map(path => route('post', path))],
  };
}

function route(method: string, path: string): Route {
  return { method: method.toUpperCase(), path };
}
