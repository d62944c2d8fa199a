import { recordStatus } from '#core/redis/claims/status.js';
import { until } from '#stack/processes/until.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll } from '../../rig/sale.js';
import { type Server, startBaseline } from '../../rig/server.js';
import { allPlaced } from '../api/repeats.js';
import { BuyerStreams } from './buyer-streams.js';
import { byTurns, latencyOf, turnSeconds } from './turns.js';

/** The streams that one buyer opens in all. */
const STREAMS = 10_400;
/** Streams that are opened at once: as many connections as nginx allows one address (nginx/nginx.conf). */
const WAVE = 200;
/** The most streams of one buyer for one sale that may stand (apps/api/waiting/buyer-waiters.ts). */
const STANDING_MAX = 4;
const WOKEN_WITHIN_MS = 2_000;
/** Another process probes the API this often. A probe that has to wait shows a stall of the event loop. */
const PROBES_PER_SECOND = 100;
const PROBE_CONNECTIONS = 16;

/**
 * Asks how many of a buyer's many event streams stand, and for how long the API's event loop stalls while they are opened
 * and when a change wakes them. A bare server, which answers each at once, meets as many: the part of the stall that is
 * Node's.
 */
export async function streams(rig: Rig, api: Server): Promise<Figures> {
  await forgetAll(rig);
  const state = allPlaced(1);
  const saleId = await createRedisSale(rig, 1, state);
  const paid = state.claims.map(({ buyerId, claimId }) => ({ buyerId, claimId, status: 'paid' as const }));
  const bare = await startBaseline(rig, 'bare');
  const opened = new BuyerStreams({ port: api.port, saleId, secret: rig.secret });
  const answered = new BuyerStreams({ port: bare.port, saleId, secret: rig.secret });
  try {
    const stalls = await byTurns(rig, {
      idle: () => stallDuring(rig, api, () => undefined),
      attack: () => stallDuring(rig, api, () => openMany(opened, STREAMS / rig.options.rounds)),
      bare: () => stallDuring(rig, bare, () => openMany(answered, STREAMS / rig.options.rounds)),
    });
    const { standing } = opened;
    const wakeStall = await stallDuring(rig, api, () => wakeAll(opened, () => recordStatus(rig.redis, saleId, paid)));
    const [idleStall, openStall] = [Math.max(...stalls.idle), Math.max(...stalls.attack)];
    const bareStall = Math.max(...stalls.bare);
    const overIdle = Math.max(openStall, wakeStall) - idleStall;
    return { standing, idleStall, openStall, bareStall, wakeStall, overIdle };
  } finally {
    opened.close();
    answered.close();
    await bare.stop();
  }
}

/** Returns the longest stall during some work, in ms: the longest time that a probe took from its schedule on. */
async function stallDuring(rig: Rig, api: Server, work: () => Promise<void> | undefined): Promise<number> {
  let done = false;
  const working = Promise.resolve(work()).finally(() => {
    done = true;
  });
  const probing = async () => {
    const stalls: number[] = [];
    do stalls.push(await probe(rig, api));
    while (!done);
    return Math.max(...stalls);
  };
  const [stall] = await Promise.all([probing(), working]);
  return stall;
}

async function probe({ generator, ...rig }: Rig, { port }: Server): Promise<number> {
  const buyer = { method: 'GET', path: '/healthz', first: 0, count: 1, again: true } as const;
  const rate = { connections: PROBE_CONNECTIONS, depth: 1, perSecond: PROBES_PER_SECOND, seconds: turnSeconds(rig) };
  return latencyOf(await generator.run({ port, ...buyer, ...rate }), 'max');
}

async function openMany(opened: BuyerStreams, count: number): Promise<void> {
  for (let left = Math.ceil(count); left > 0; left -= WAVE) await opened.open(Math.min(WAVE, left));
  await opened.untilAtMost(STANDING_MAX);
}

/** @throws Error when a stream that stands is not woken by a change of its buyer's order */
async function wakeAll(opened: BuyerStreams, change: () => Promise<unknown>): Promise<void> {
  const before = opened.statuses;
  const standing = opened.standing;
  await change();
  const woken = () => opened.statuses - before;
  if (!(await until(() => woken() >= standing, WOKEN_WITHIN_MS)))
    throw new Error(`a change woke ${woken()} of ${standing} streams`);
}
