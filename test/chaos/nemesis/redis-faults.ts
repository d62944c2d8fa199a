import { pauseUntil } from '#stack/processes/pause.js';
import type { ClusterNode } from '#stack/stores/redis-cluster.js';
import { beginSlotMove, endSlotMove, moveKeys, moveSlot, type SlotMove } from '../../support/redis/move-slot.js';
import type { RedisNode, RedisNodes } from '../rig/redis-nodes.js';
import type { Random } from '../workload/random.js';

/**
 * The faults of a Redis Cluster. A primary that is away for longer than the node time-out (2 s) is replaced by its replica. A slot is
 * moved with a sale in it: at once, with some seconds in the middle of its keys, or to a node that has just joined.
 */
export const REDIS_FAULTS = [
  'kill primary',
  'freeze primary',
  'kill replica',
  'freeze replica',
  'move slot',
  'interrupt move',
  'add node',
] as const;
/** The name of a fault of a Redis Cluster. */
export type RedisFault = (typeof REDIS_FAULTS)[number];

/** For how long a node is away, and a move is interrupted, in ms. */
const AWAY_MS = [200, 8_000] as const;
const HALFWAY_MS = [500, 4_000] as const;

/** The keys that have moved when a move is interrupted. A sale has more. */
const HALFWAY_KEYS = 3;

/** The most nodes that join in a run. Later slots are moved to one of them. */
const JOINING_MAX = 2;

/** A fault that has begun. */
export interface RedisFaultBegun {
  text: string;
  /** In ms since the epoch. */
  atMs: number;
  /** The sales whose node or slot it is. */
  saleIds: string[];
  /** Resolves when the cluster is whole again. */
  whole: Promise<void>;
}

/** The parts of a breaker of Redis. */
export interface RedisBreakerOptions {
  redisNodes: RedisNodes;
  saleIds: readonly string[];
  /** Chooses the nodes, the slots and the times. */
  random: Random;
  /** Mends at once. */
  signal: AbortSignal;
}

/** Breaks a Redis Cluster in one way at a time: two at once could take both copies of a sale. */
export class RedisBreaker {
  readonly #options: RedisBreakerOptions;
  #slots: ReadonlyMap<string, number> | undefined;
  #isBroken = false;
  #joined = 0;

  constructor(options: RedisBreakerOptions) {
    this.#options = options;
  }

  /** Whether the cluster is not whole. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Makes a fault. */
  async breakOne(fault: RedisFault): Promise<RedisFaultBegun> {
    this.#isBroken = true;
    const begun = await this.#begin(fault);
    const whole = begun.whole
      .then(() => this.#options.redisNodes.untilWhole())
      .then(() => {
        this.#isBroken = false;
      });
    return { ...begun, whole };
  }

  async #begin(fault: RedisFault): Promise<RedisFaultBegun> {
    const { redisNodes, saleIds, random } = this.#options;
    this.#slots ??= await redisNodes.slotsOf(saleIds);
    const slots = this.#slots;
    const slot = slots.get(random.pick(saleIds)) as number;
    const inSlots = (has: (slot: number) => boolean) => saleIds.filter(id => has(slots.get(id) as number));
    const roles = await redisNodes.roles();
    const owner = roles.find(role => !role.primary && serves(role, slot)) as RedisNode;
    const replica = roles.find(({ primary }) => primary === owner);
    const ofOwner = { saleIds: inSlots(one => serves(owner, one)), atMs: Date.now() };
    switch (fault) {
      case 'kill primary':
        return { ...ofOwner, ...(await this.#kill(owner)) };
      case 'freeze primary':
        return { ...ofOwner, ...this.#freeze(owner) };
      case 'kill replica':
        return { ...ofOwner, ...(await this.#kill(replica ?? owner)) };
      case 'freeze replica':
        return { ...ofOwner, ...this.#freeze(replica ?? owner) };
      default: {
        const to = fault === 'add node' ? await this.#join(roles, owner) : random.pick(othersOf(roles, owner));
        const move = { slot, from: owner.server, to };
        const atMs = Date.now();
        const moving = fault === 'interrupt move' ? this.#interrupt(move) : moveSlot(move, redisNodes.servers);
        const whole = moving.then(() => undefined);
        return { text: `slot ${slot} of ${owner.node.name}`, saleIds: inSlots(one => one === slot), atMs, whole };
      }
    }
  }

  async #kill({ node }: RedisNode): Promise<{ text: string; whole: Promise<void> }> {
    const { random, signal } = this.#options;
    const forMs = random.between(...AWAY_MS);
    await node.kill();
    return { text: `${node.name} for ${forMs} ms`, whole: pauseUntil(forMs, signal).then(() => node.revive()) };
  }

  #freeze({ node }: RedisNode): { text: string; whole: Promise<void> } {
    const { random, signal } = this.#options;
    const forMs = random.between(...AWAY_MS);
    const pid = Number(node.pid());
    process.kill(pid, 'SIGSTOP');
    const whole = pauseUntil(forMs, signal).then(() => void process.kill(pid, 'SIGCONT'));
    return { text: `${node.name} for ${forMs} ms`, whole };
  }

  async #interrupt(move: SlotMove): Promise<void> {
    const { random, signal, redisNodes } = this.#options;
    await beginSlotMove(move);
    await moveKeys(move, HALFWAY_KEYS);
    await pauseUntil(random.between(...HALFWAY_MS), signal);
    while ((await moveKeys(move)) > 0);
    await endSlotMove(move, redisNodes.servers);
  }

  /** Returns a node that has just joined, or one that joined before. */
  async #join(roles: readonly RedisNode[], owner: RedisNode): Promise<ClusterNode> {
    if (this.#joined === JOINING_MAX) return othersOf(roles, owner).at(-1) as ClusterNode;
    this.#joined += 1;
    return this.#options.redisNodes.addNode();
  }
}

const serves = ({ slots }: RedisNode, slot: number): boolean =>
  slots.some(([first, last]) => first <= slot && slot <= last);

/** Returns the other primaries. */
const othersOf = (roles: readonly RedisNode[], owner: RedisNode): ClusterNode[] =>
  roles.filter(role => !role.primary && role !== owner).map(({ server }) => server);
