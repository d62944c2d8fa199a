import { once, setMaxListeners } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * A fault of a TCP link, in both directions. A fault lasts until the next one is set.
 *
 * - `none`: the link works.
 * - `latency`: each piece arrives `ms` later.
 * - `reset`: open connections are reset, and every new one as well.
 * - `half-open`: connections are accepted and stay open, but no byte arrives and no side sees an error. A connection that
 *   has swallowed a byte stays silent after the link is mended, because TCP never skips a byte.
 * - `drop-reply`: requests arrive. The first piece of a reply resets the connection instead of arriving.
 * - `stall`: bytes are held back during the fault, and arrive in order afterwards.
 * - `slices`: each byte arrives alone.
 * - `cut`: open connections are closed, and every new one as well.
 */
export type Fault =
  | { kind: 'none' | 'reset' | 'half-open' | 'drop-reply' | 'stall' | 'slices' | 'cut' }
  | { kind: 'latency'; ms: number };

/** One connection: the client's side and the server's. */
interface Link {
  client: Socket;
  server: Socket;
  /** A byte of this connection was swallowed, so no later byte may arrive. */
  silent?: boolean;
}

type Ending = 'destroy' | 'resetAndDestroy';

/** Creates a signal that every piece on hold listens to. */
function createChange(): AbortController {
  const change = new AbortController();
  setMaxListeners(0, change.signal);
  return change;
}

const portOf = (target: number | string): number =>
  typeof target === 'number' ? target : Number(new URL(target).port);

function cut({ client, server }: Link, how: Ending): void {
  client[how]();
  server[how]();
}

/** A TCP link that a test can break while the link is in use. */
export class FaultProxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  #target: number;
  #fault: Fault = { kind: 'none' };
  #changed = createChange();
  #swallowed = 0;

  /** @param listener listens already, and allows half-open connections */
  constructor(listener: Server, target: number) {
    this.port = (listener.address() as AddressInfo).port;
    this.#listener = listener;
    this.#target = target;
    listener.on('connection', client => this.#accept(client));
  }

  /** Returns the same URL with the port of the proxy. */
  through(url: string): string {
    const own = new URL(url);
    own.port = String(this.port);
    return own.href;
  }

  /** Breaks the link, or mends it with `none`. */
  set(fault: Fault): void {
    this.#fault = fault;
    this.#changed.abort();
    this.#changed = createChange();
    if (fault.kind === 'reset') this.#cutAll('resetAndDestroy');
    if (fault.kind === 'cut') this.#cutAll('destroy');
  }

  /** Breaks the link for `forMs` milliseconds. */
  async setFor(fault: Fault, forMs: number): Promise<void> {
    this.set(fault);
    await setTimeout(forMs);
    this.set({ kind: 'none' });
  }

  /** Leads new connections to another target and resets the open ones, as after a failover. */
  lead(target: number | string): void {
    this.#target = portOf(target);
    this.#cutAll('resetAndDestroy');
  }

  /** Leads new connections to another target. The open ones stay, as after a failover by role. */
  moveTo(target: number | string): void {
    this.#target = portOf(target);
  }

  /** Counts the open connections. */
  connections(): number {
    return this.#links.size;
  }

  /** Counts the connections that have swallowed a byte and that neither side has given up. */
  silent(): number {
    const links = [...this.#links];
    return links.filter(({ silent, client, server }) => silent && !client.destroyed && !server.destroyed).length;
  }

  /** Counts the bytes that a half-open link has swallowed. */
  swallowed(): number {
    return this.#swallowed;
  }

  /** Closes every connection and stops listening. */
  async close(): Promise<void> {
    // Mended first: a piece on hold would keep its connection.
    this.set({ kind: 'none' });
    this.#cutAll('destroy');
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #accept(client: Socket): void {
    const server = connect({ host: '127.0.0.1', port: this.#target, allowHalfOpen: true });
    const link: Link = { client, server };
    this.#links.add(link);
    this.#carry(link, client, server);
    this.#carry(link, server, client);
    if (this.#fault.kind === 'reset') cut(link, 'resetAndDestroy');
    if (this.#fault.kind === 'cut') cut(link, 'destroy');
  }

  #cutAll(how: Ending): void {
    for (const link of this.#links) cut(link, how);
  }

  /** Carries the pieces of one direction, one after the other. */
  #carry(link: Link, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => {
      if (this.#fault.kind === 'half-open' || link.silent) {
        link.silent = true;
        this.#swallowed += piece.length;
        return;
      }
      const arrivedAt = performance.now();
      const isReply = from === link.server;
      last = last.then(async () => {
        await this.#hold(arrivedAt);
        if (isReply && this.#fault.kind === 'drop-reply') cut(link, 'resetAndDestroy');
        else await this.#send(to, piece);
      });
    });
    from.on('end', () => {
      if (link.silent) from.destroy();
      else last = last.then(() => void to.end());
    });
    // An error of one side ends the other side as well. On a silent connection the other side never learns about it.
    from.on('error', () => undefined);
    from.on('close', () => {
      last = last.then(() => void (link.silent || to.destroy()));
      if (to.destroyed) this.#links.delete(link);
    });
  }

  /** Holds a piece back for a stall or for latency. */
  async #hold(arrivedAt: number): Promise<void> {
    while (this.#fault.kind === 'stall') {
      if (!this.#changed.signal.aborted) await once(this.#changed.signal, 'abort');
    }
    if (this.#fault.kind === 'latency') await setTimeout(Math.max(0, arrivedAt + this.#fault.ms - performance.now()));
  }

  async #send(to: Socket, piece: Buffer): Promise<void> {
    const size = this.#fault.kind === 'slices' ? 1 : piece.length;
    for (let at = 0; at < piece.length && to.writable; at += size) {
      to.write(piece.subarray(at, at + size));
      if (size === 1) await setImmediate();
    }
  }
}

/**
 * Starts a proxy without a fault.
 *
 * @param target a port on 127.0.0.1, or a URL with a port
 */
export async function startFaultProxy(target: number | string): Promise<FaultProxy> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return new FaultProxy(listener, portOf(target));
}
