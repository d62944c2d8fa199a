import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { StartingState } from '#core/redis/sale/open-sale.js';
import { setSale } from '#core/redis/sale/sale.js';
import { buyerName } from '../load/plan.js';
import { cpuSeconds } from '../measure/cpu.js';
import { type Figures, seriesOf } from '../measure/round.js';
import type { Rig } from '../rig/rig.js';
import { createRedisSale, forgetAll } from '../rig/sale.js';
import { type MeasuredApi, startMeasuredApi } from '../rig/server.js';
import { CrowdConnections } from './crowd.js';
import { awaited } from './restarted-redis.js';

/** One buyer in ten has a claim. The others are on standby, and the close of the sale is news for them alone. */
const BUYERS_PER_CLAIM = 10;
/** Connections that come and go first, in turns, so that the API is compiled before the measurement. */
const WARM_UP = { turns: 10, size: 200 };
/** After this time nothing is left of the opening but what stands, in ms. */
const CALM_MS = 1_500;
const PAY_WITHIN_MS = 600_000;

/**
 * Asks what a number of event streams costs, each of another buyer, and how long it takes to tell all of them that their sale is closed.
 *
 * The memory of a stream is compared with that of an idle keep-alive connection on which one poll was answered. Each has a process of
 * its own, as a process keeps the memory of connections that were closed. It is the growth of the resident memory, which includes what
 * Node holds outside of the heap for a connection; the garbage is collected before. `…Heap` is the part in the heap of V8.
 *
 * @returns bytes of each stream and connection; ms from the command to close until half of the buyers on standby know, and until the
 * last one does; CPU time of the API for it, in ms
 */
export async function streams(rig: Rig, size: number): Promise<Figures> {
  await forgetAll(rig);
  const saleId = await createRedisSale(rig, size, crowdOf(size));
  const socket = await withApi(rig, api => costOfEach(rig, api, { saleId, size, headers: '' }));
  return withApi(rig, async api => {
    const stream = await costOfEach(rig, api, { saleId, size, headers: 'Accept: text/event-stream\r\n' }, async crowd =>
      tellAll(rig, api, { saleId, crowd, size: size - claimsOf(size) }),
    );
    const { rss: streamBytes, heap: streamHeap, ...told } = stream;
    return { streamBytes, socketBytes: socket.rss, streamHeap, socketHeap: socket.heap, ...told };
  });
}

function claimsOf(size: number): number {
  return Math.floor(size / BUYERS_PER_CLAIM);
}

function crowdOf(size: number): StartingState {
  const payByMs = Date.now() + PAY_WITHIN_MS;
  const standby: string[] = [];
  const claims: StartingState['claims'] = [];
  for (let i = 0; i < size; i += 1) {
    const buyerId = buyerName(i);
    const unit = claims.length + 1;
    if (unit > claimsOf(size) || i % BUYERS_PER_CLAIM > 0) standby.push(buyerId);
    else claims.push({ buyerId, claimId: randomUUID(), unit, status: 'pending_payment', payByMs });
  }
  return { claims, outbox: [], standby };
}

async function withApi<T>(rig: Rig, work: (api: MeasuredApi) => Promise<T>): Promise<T> {
  const api = await startMeasuredApi(rig);
  try {
    return await work(api);
  } finally {
    await api.stop();
  }
}

/** The request of a crowd. */
interface Asked {
  saleId: string;
  size: number;
  headers: string;
}

/** Opens a crowd's connections, measures the memory of each, and then does something with them. */
async function costOfEach(
  rig: Rig,
  api: MeasuredApi,
  asked: Asked,
  andThen: (crowd: CrowdConnections) => Promise<Figures> = async () => ({}),
): Promise<Figures & { rss: number; heap: number }> {
  const { secret } = rig;
  for (let turn = 0; turn < WARM_UP.turns; turn += 1) {
    const warmUp = new CrowdConnections();
    await warmUp.open({ ...asked, secret, port: api.port, size: Math.min(asked.size, WARM_UP.size) });
    warmUp.close();
  }
  await pause(CALM_MS);
  const before = await api.memory();
  const crowd = new CrowdConnections();
  try {
    await crowd.open({ ...asked, secret, port: api.port });
    await pause(CALM_MS);
    const after = await api.memory();
    const rss = (after.rss - before.rss) / asked.size;
    const heap = (after.heapUsed + after.external - before.heapUsed - before.external) / asked.size;
    return { rss, heap, ...(await andThen(crowd)) };
  } finally {
    crowd.close();
  }
}

async function tellAll(
  rig: Rig,
  api: MeasuredApi,
  { saleId, crowd, size }: { saleId: string; crowd: CrowdConnections; size: number },
): Promise<Figures> {
  const { heardAtMs } = crowd;
  crowd.follow('"status":"closed"');
  const cpuBefore = cpuSeconds(api.pid);
  const closedAtMs = performance.now();
  await setSale(rig.redis, saleId, { state: 'closed' });
  await awaited(async () => heardAtMs.length === size, 'news of the close on every stream');
  const toldMs = seriesOf(heardAtMs.map(atMs => atMs - closedAtMs));
  return { toldHalfMs: toldMs.median, toldAllMs: toldMs.max, toldCpuMs: 1_000 * (cpuSeconds(api.pid) - cpuBefore) };
}
