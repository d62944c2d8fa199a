import type { PostgresHost } from '../../values/postgres-address.js';

/** A server that takes writes, and which one it is. */
export interface Writable {
  server: PostgresHost;
  /** The identifier of the cluster, which a primary and its standbys have in common. */
  cluster: string;
  /** The number of promotions before it, roughly: each promotion raises it. */
  timeline: number;
  /** The moment of its start, to the microsecond. Two addresses with the same moment lead to one server. */
  startedAt: string;
}

/**
 * The primary of an address with several servers. An old primary that runs on after a promotion takes writes as well. A
 * process that went between the two would write an order into one and its money into the other.
 */
export class Primary {
  #latest: Pick<Writable, 'cluster' | 'timeline'> | undefined;

  /**
   * Chooses the primary: the server with the latest promotion. It is never one from before a promotion of which this
   * process knows.
   *
   * @param found all servers that take writes
   * @throws Error for two servers of which neither was promoted after the other, and if only old servers, or those of
   * another cluster, are left
   */
  choose(found: readonly Writable[]): Writable {
    const latest = this.#latest;
    const known = found.filter(one => !latest || one.cluster === latest.cluster);
    if (known.length === 0) throw new Error(`${namesOf(found)}: another cluster than before. Restart the processes`);
    const [first, ...others] = known.filter(one => !latest || one.timeline >= latest.timeline);
    if (!first) throw new Error(`${namesOf(found)}: from before the promotion of the server that was used last`);
    const last = others.reduce((a, b) => (b.timeline > a.timeline ? b : a), first);
    const rivals = [first, ...others].filter(
      one => one.startedAt !== last.startedAt && (one.cluster !== last.cluster || one.timeline === last.timeline),
    );
    if (rivals.length > 0) {
      throw new Error(`${namesOf([last, ...rivals])}: all of them do, and none was promoted after the others`);
    }
    this.#latest = last;
    return last;
  }

  /** Tells whether a server was promoted after the one with this timeline. */
  isAfter(timeline: number): boolean {
    return this.#latest !== undefined && this.#latest.timeline > timeline;
  }
}

function namesOf(servers: readonly Writable[]): string {
  return servers.map(({ server: { host, port } }) => `${host}:${port}`).join(', ');
}
