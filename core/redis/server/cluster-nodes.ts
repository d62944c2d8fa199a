import { ConfigError } from '../../process/config.js';
import type { HostAndPort } from '../../values/redis-address.js';
import { Informant } from './informant.js';
import type { RedisTarget } from './target.js';

/** A node answers this about a Redis that is no part of a cluster. */
const NO_CLUSTER = /cluster support disabled/;

/** A node of the cluster, as one of them knows it. */
export interface Node {
  id: string;
  address: HostAndPort;
  /** Counts the changes of owners. Of two that claim a slot, the one with the higher epoch has it. */
  epoch: number;
  /** The slots that it serves, as ranges with both ends. Only a primary has some. */
  slots: [first: number, last: number][];
}

/** The nodes that one node knows. */
export interface View {
  /** The `host:port` of the node that was asked. */
  asked: string;
  nodes: readonly Node[];
}

/** The nodes of a Redis Cluster, and which of them serves a slot. */
export class ClusterNodes {
  readonly #target: RedisTarget;
  /** The nodes of the address, by `host:port`. They are asked even after they have left the cluster. */
  readonly #seeds: ReadonlyMap<string, Informant>;
  /** The other nodes of the cluster. */
  #others = new Map<string, Informant>();
  #asking: Promise<Node[]> | undefined;
  #isClosed = false;

  /** Connects to no node yet: the first question does. */
  constructor(seeds: readonly HostAndPort[], target: RedisTarget) {
    this.#target = target;
    this.#seeds = new Map(seeds.map(seed => [keyOf(seed), new Informant(seed, target)]));
  }

  /**
   * Asks all nodes which of them serves a slot. The one that knows of the last change is right: a node that was cut off still
   * names the owner before it.
   *
   * @throws ConfigError when the nodes are no cluster, or belong to several; Error when none answers, or nobody serves the slot
   */
  async ownerOf(slot: number): Promise<HostAndPort> {
    // All connections of a process ask at the same time.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    const nodes = await this.#asking;
    const owners = nodes.filter(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
    const [last] = owners.sort((a, b) => b.epoch - a.epoch);
    if (!last) throw new Error(`CLUSTERDOWN: no node of the cluster has slot ${slot}`);
    return last.address;
  }

  close(): void {
    this.#isClosed = true;
    for (const node of [...this.#seeds.values(), ...this.#others.values()]) node.close();
  }

  async #ask(): Promise<Node[]> {
    const nodes = [...this.#seeds.values(), ...this.#others.values()];
    const answers = await Promise.allSettled(nodes.map(askNode));
    const known = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
    if (known.length === 0) throw this.#failureOf(answers.map(answer => (answer as PromiseRejectedResult).reason));
    const strangers = strangersIn(known);
    if (strangers) {
      // Each cluster counts its own epochs, so the later one of two owners would be any of them.
      throw new ConfigError(`REDIS_URL names nodes of several Redis Clusters, such as ${strangers.join(' and ')}`);
    }
    const all = known.flatMap(({ nodes }) => nodes);
    this.#follow(new Map(all.map(({ address }) => [keyOf(address), address])));
    return all;
  }

  #failureOf(reasons: Error[]): Error {
    const alone = reasons.find(({ message }) => NO_CLUSTER.test(message));
    if (!alone) return new Error(`no node of the Redis Cluster answers: ${reasons[0]?.message}`);
    return new ConfigError(
      `REDIS_URL names a Redis Cluster, and ${[...this.#seeds.keys()].join(', ')} is none: begin it with redis:// or rediss://`,
    );
  }

  /** Connects to nodes that have joined the cluster, and leaves those that nobody knows any more. */
  #follow(addresses: ReadonlyMap<string, HostAndPort>): void {
    for (const [key, node] of this.#others) {
      if (addresses.has(key)) continue;
      node.close();
      this.#others.delete(key);
    }
    for (const [key, address] of addresses) {
      if (this.#isClosed || this.#seeds.has(key) || this.#others.has(key)) continue;
      this.#others.set(key, new Informant(address, this.#target));
    }
  }
}

const keyOf = ({ host, port }: HostAndPort): string => `${host}:${port}`;

/** Asks a node for the nodes that it knows. */
async function askNode(node: Informant): Promise<View> {
  const text = (await node.ask(client => client.cluster('NODES'))) as string;
  return { asked: keyOf(node.address), nodes: parseNodes(text, node.address) };
}

/**
 * Returns two nodes that belong to different clusters: they know no node in common, not even through others. A node that has left
 * its cluster, or has not joined it yet, knows of no slots and is no stranger.
 *
 * @returns the nodes that were asked; undefined if all belong together
 */
export function strangersIn(views: readonly View[]): [asked: string, other: string] | undefined {
  const [first, ...others] = views.filter(({ nodes }) => nodes.some(({ slots }) => slots.length > 0));
  if (!first) return undefined;
  const known = new Set(first.nodes.map(({ id }) => id));
  let left = others;
  for (;;) {
    const near = left.filter(({ nodes }) => nodes.some(({ id }) => known.has(id)));
    left = left.filter(view => !near.includes(view));
    if (near.length === 0) return left[0] && [first.asked, left[0].asked];
    for (const { id } of near.flatMap(({ nodes }) => nodes)) known.add(id);
  }
}

/**
 * Parses the reply of CLUSTER NODES.
 *
 * @param asked the node that answered, as it may not know its own address
 * @returns the nodes that have an address
 */
export function parseNodes(text: string, asked: HostAndPort): Node[] {
  const lines = text.trim().split('\n');
  return lines.flatMap(line => parseNode(line, asked) ?? []);
}

/**
 * Parses a line of CLUSTER NODES: `id ip:port@busport[,hostname] flags primary ping pong epoch link slot…`
 * (https://redis.io/docs/latest/commands/cluster-nodes/).
 *
 * @returns undefined for a node without an address
 */
function parseNode(line: string, asked: HostAndPort): Node | undefined {
  const [id = '', where = '', flags = '', , , , epoch, , ...slots] = line.split(' ');
  const [, ip = '', port, hostname] = /^(.*):(\d+)(?:@\d+)?(?:,([^,=]*))?/.exec(where) ?? [];
  if (flags.includes('noaddr') || flags.includes('handshake') || !Number(port)) return undefined;
  const host = hostname || ip || asked.host;
  // A slot that moves is in brackets, and belongs to its owner until it has moved.
  const ranges = slots.filter(slot => !slot.startsWith('['));
  return { id, address: { host, port: Number(port) }, epoch: Number(epoch), slots: ranges.map(parseRange) };
}

function parseRange(text: string): [first: number, last: number] {
  const [first = '', last = first] = text.split('-');
  return [Number(first), Number(last)];
}
