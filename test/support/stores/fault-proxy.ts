import { once, setMaxListeners } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/**
 * What a link does to what goes over it, in both directions, from the moment it is set until another one is.
 *
 * - `none`: nothing
 * - `latency`: each piece arrives this much later
 * - `reset`: connections are reset, those there are and every new one
 * - `half-open`: connections are accepted and stay, but nothing arrives anywhere, and nothing is ever said about it; one that
 *   has swallowed something goes on doing so when the link is mended, as TCP never leaves out a piece
 * - `drop-reply`: what is asked arrives; at the first piece of an answer the connection is reset instead
 * - `stall`: nothing arrives while it lasts, and all of it after
 * - `slices`: every byte arrives by itself
 * - `cut`: connections are closed, and new ones at once
 */
export type Fault =
  | { kind: 'none' | 'reset' | 'half-open' | 'drop-reply' | 'stall' | 'slices' | 'cut' }
  | { kind: 'latency'; ms: number };

/** A TCP link that can be broken while it is used. */
export interface FaultProxy {
  readonly port: number;
  /** @returns the same URL by way of the proxy */
  through(url: string): string;
  /** Breaks the link in this way from now on, or mends it (`none`). */
  set(fault: Fault): void;
  /** Has it lead elsewhere from now on, as after a failover: connections to where it led before are reset. */
  lead(target: number | string): void;
  /** Breaks it for a time, in ms, then mends it. */
  setFor(fault: Fault, forMs: number): Promise<void>;
  /** How many connections are open. */
  connections(): number;
  /** How many of them have swallowed something, and were not given up by either side yet. */
  silent(): number;
  /** How many bytes arrived at a half-open link, and nowhere else. */
  swallowed(): number;
  close(): Promise<void>;
}

/** One connection: the client's side and the server's. */
interface Link {
  client: Socket;
  server: Socket;
  /** Something that went over it is lost, so nothing may come after. */
  silent?: boolean;
}

/** Every piece that is held up listens for it. */
function nextChange(): AbortController {
  const change = new AbortController();
  setMaxListeners(0, change.signal);
  return change;
}

const portOf = (target: number | string): number =>
  typeof target === 'number' ? target : Number(new URL(target).port);

/**
 * @param target where connections lead: a port on 127.0.0.1, or a URL with one
 * @returns a link to it, whole for now
 */
export async function startFaultProxy(target: number | string): Promise<FaultProxy> {
  let port = portOf(target);
  const links = new Set<Link>();
  let fault: Fault = { kind: 'none' };
  let swallowed = 0;
  let changed = nextChange();

  const untilChanged = async () => {
    if (!changed.signal.aborted) await once(changed.signal, 'abort');
  };
  const cut = ({ client, server }: Link, how: 'destroy' | 'resetAndDestroy') => {
    client[how]();
    server[how]();
  };

  /** @returns false when the piece must not go on */
  const pass = async (link: Link, isReply: boolean, arrivedAt: number): Promise<boolean> => {
    while (fault.kind === 'stall') await untilChanged();
    if (fault.kind === 'latency') await pause(Math.max(0, arrivedAt + fault.ms - performance.now()));
    if (fault.kind === 'drop-reply' && isReply) cut(link, 'resetAndDestroy');
    return !(fault.kind === 'drop-reply' && isReply);
  };
  const send = async (to: Socket, piece: Buffer): Promise<void> => {
    const size = fault.kind === 'slices' ? 1 : piece.length;
    for (let at = 0; at < piece.length && to.writable; at += size) {
      to.write(piece.subarray(at, at + size));
      if (size === 1) await nextTurn();
    }
  };
  const carry = (link: Link, from: Socket, to: Socket) => {
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => {
      if (fault.kind === 'half-open' || link.silent) {
        link.silent = true;
        swallowed += piece.length;
        return;
      }
      const arrivedAt = performance.now();
      last = last.then(async () => {
        if (await pass(link, from === link.server, arrivedAt)) await send(to, piece);
      });
    });
    from.on('end', () => {
      if (link.silent) from.destroy();
      else last = last.then(() => void to.end());
    });
    // Whatever breaks one side is passed on as the end of the other; of a silent one the other side never hears.
    from.on('error', () => undefined);
    from.on('close', () => {
      last = last.then(() => void (link.silent || to.destroy()));
      if (to.destroyed) links.delete(link);
    });
  };

  const listener = createServer({ allowHalfOpen: true }, client => {
    const link: Link = { client, server: connect({ host: '127.0.0.1', port, allowHalfOpen: true }) };
    links.add(link);
    carry(link, client, link.server);
    carry(link, link.server, client);
    if (fault.kind === 'reset') cut(link, 'resetAndDestroy');
    if (fault.kind === 'cut') cut(link, 'destroy');
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const own = (listener.address() as AddressInfo).port;

  const set = (next: Fault) => {
    fault = next;
    changed.abort();
    changed = nextChange();
    if (next.kind !== 'reset' && next.kind !== 'cut') return;
    for (const link of links) cut(link, next.kind === 'reset' ? 'resetAndDestroy' : 'destroy');
  };
  return {
    port: own,
    through(url) {
      const by = new URL(url);
      by.port = String(own);
      return by.href;
    },
    set,
    lead(next) {
      port = portOf(next);
      for (const link of links) cut(link, 'resetAndDestroy');
    },
    async setFor(next, forMs) {
      set(next);
      await pause(forMs);
      set({ kind: 'none' });
    },
    connections: () => links.size,
    silent: () =>
      [...links].filter(({ silent, client, server }) => silent && !client.destroyed && !server.destroyed).length,
    swallowed: () => swallowed,
    async close() {
      // Nothing may be held up any more.
      set({ kind: 'none' });
      for (const link of links) cut(link, 'destroy');
      listener.close();
      await once(listener, 'close');
    },
  };
}
