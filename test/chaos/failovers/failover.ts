import { Redis } from 'ioredis';
import { until } from '#stack/processes/until.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { isSynced, startReplica } from '../../support/redis/replica.js';
import { startSentinels } from '../../support/redis/sentinels.js';
import { startFaultProxy } from '../../support/stores/fault-proxy.js';
import { ChaosNode } from '../rig/node.js';

/**
 * The kinds of failover.
 *
 * - `role`: the primary becomes a replica and keeps its connections, and the address moves, as with a managed Redis.
 * - `killed`, `frozen`: three Sentinels replace a primary that is dead, or whose process is stopped and resumes later.
 * - `node-killed`, `node-frozen`: the same on a Redis Cluster, where a replica takes over.
 * - `slot-moved`, `node-added`: a slot with a sale moves to another node of a Redis Cluster, or to one that joins.
 */
export const FAILOVERS = [
  'role',
  'killed',
  'frozen',
  'node-killed',
  'node-frozen',
  'slot-moved',
  'node-added',
] as const;
/** A kind of failover. */
export type FailoverKind = (typeof FAILOVERS)[number];

/** Sentinel waits for a second, asks the others and promotes. After this time it has failed, in ms. */
const PROMOTED_WITHIN_MS = 60_000;

/** Sentinel looks at an old primary for 8 s before it makes it a replica, and the replica gets the data then, in ms. */
const PAIRED_MS = 60_000;

/** A server of a pair, and a connection to it without any care. */
interface Server {
  port: number;
  redis: Redis;
}

/** A failover that has happened. */
export interface HappenedFailover {
  /** The time at which the new primary took a write, in ms since the epoch. */
  servesAtMs: number;
  /** Lets the old primary come back, and waits until one server is a replica of the other. */
  heal(): Promise<void>;
}

/** A primary and a replica that change places. */
export interface Pair {
  /** The Redis in the form of REDIS_URL. */
  url: string;
  /** @param first the node of the server that was the primary at the start */
  failOver(first: ChaosNode): Promise<HappenedFailover>;
  stop(): Promise<void>;
}

/** Starts a replica of a Redis, and what leads to the primary: an address that moves, or Sentinels. */
export async function startPair(kind: FailoverKind, directUrl: string): Promise<Pair> {
  const replica = await startReplica(directUrl);
  const servers = [{ port: Number(new URL(directUrl).port), redis: new Redis(directUrl) }, replica] as const;
  for (const { redis } of servers) redis.on('error', () => undefined);
  const start = () => startRedis({ dir: replica.dir, port: replica.port });
  const second = new ChaosNode('redis', 'replica', { first: replica.server, start });
  const lead = kind === 'role' ? await leadByAddress(servers[0].port) : await leadBySentinels(servers[0].port);
  return {
    url: lead.url,
    async failOver(first) {
      const [old, next] = await inRoles(servers);
      const node = old === servers[0] ? first : second;
      if (kind === 'role') await swapRoles(old, next);
      else if (kind === 'killed') await node.kill();
      else process.kill(Number(node.pid()), 'SIGSTOP');
      const servesAtMs = await untilServes(next);
      lead.to(next.port);
      const heal = async () => {
        if (kind === 'killed') await node.revive();
        if (kind === 'frozen') process.kill(Number(node.pid()), 'SIGCONT');
        await untilPaired(servers);
      };
      return { servesAtMs, heal };
    },
    async stop() {
      servers[0].redis.disconnect();
      await lead.stop();
      await second.stop();
      await replica.stop();
    },
  };
}

/** Leads to the primary. */
interface Lead {
  url: string;
  /** Called with the port of each new primary. */
  to(port: number): void;
  stop(): Promise<void>;
}

async function leadByAddress(port: number): Promise<Lead> {
  const address = await startFaultProxy(port);
  const url = `redis://127.0.0.1:${address.port}`;
  return { url, to: next => address.moveTo(next), stop: () => address.close() };
}

async function leadBySentinels(port: number): Promise<Lead> {
  const { url, stop } = await startSentinels(port);
  return { url, to: () => undefined, stop };
}

async function swapRoles(old: Server, next: Server): Promise<void> {
  await next.redis.replicaof('NO', 'ONE');
  await old.redis.replicaof('127.0.0.1', next.port);
}

/** Returns the primary and its replica, by their own words. */
async function inRoles(servers: readonly [Server, Server]): Promise<[Server, Server]> {
  const [first, second] = servers;
  return (await isSynced(second.redis)) ? [first, second] : [second, first];
}

/**
 * Waits until one server has the data of the other. Mostly the old primary becomes the replica. An old primary that comes back
 * before the Sentinels have finished their failover stays the primary, and they take the new one back.
 */
async function untilPaired([first, second]: readonly [Server, Server]): Promise<void> {
  const isPair = async () => (await isSynced(first.redis)) || (await isSynced(second.redis));
  if (!(await until(isPair, PAIRED_MS))) throw new Error('no server has become a replica of the other');
}

/** Waits until a server takes writes, and returns the time. */
async function untilServes({ redis }: Server): Promise<number> {
  const write = () => redis.set('probe', '1');
  const serves = () =>
    write().then(
      () => true,
      () => false,
    );
  if (!(await until(serves, PROMOTED_WITHIN_MS))) throw new Error('no replica was promoted');
  return Date.now();
}
