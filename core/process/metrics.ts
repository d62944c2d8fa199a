import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of this process. */
const registry = new Registry();
collectDefaultMetrics({ register: registry });

/**
 * @param name without the prefix; the suffix `_total` is part of it
 * @param help one line
 * @param labelNames labels with few values: never a buyer, never a claim
 * @returns a counter of this process
 */
export function counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
  return new Counter({ name: `dropline_${name}`, help, labelNames, registers: [registry] });
}

/**
 * @param name without the prefix
 * @param help one line
 * @param read asked for the value at each scrape; it should be quick, and when it fails there is none. Without it, it is set.
 * @returns a gauge of this process
 */
export function gauge(name: string, help: string, read?: () => Promise<number>): Gauge {
  const collect = read && {
    async collect(this: Gauge) {
      this.set(await read().catch(() => Number.NaN));
    },
  };
  return new Gauge({ name: `dropline_${name}`, help, registers: [registry], ...collect });
}

/**
 * @param name without the prefix; the unit is part of it
 * @param help one line
 * @param buckets upper bounds
 * @param labelNames labels with few values
 * @returns a histogram of this process
 */
export function histogram<L extends string>(
  name: string,
  help: string,
  buckets: number[],
  ...labelNames: L[]
): Histogram<L> {
  return new Histogram({ name: `dropline_${name}`, help, buckets, labelNames, registers: [registry] });
}

/** A scrape reads memory, and a store at most; whoever is slower than this is not a Prometheus. */
const SCRAPE_TIMEOUT_MS = 5_000;

/** Tells what speaks against counting on this process; nothing, if it is ready. */
export type Readiness = () => Promise<string[]>;

type Answer = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

function listenerOf(readiness: Readiness | undefined): Answer {
  const metrics: Answer = async (_req, res) => {
    const text = await registry.metrics();
    res.writeHead(200, { 'content-type': registry.contentType }).end(text);
  };
  const readyz: Answer = async (_req, res) => {
    const reasons = (await readiness?.()) ?? [];
    const body = reasons.length > 0 ? { status: 'not_ready', reasons } : { status: 'ready' };
    res.writeHead(reasons.length > 0 ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  return async (req, res) => {
    const answer = req.url === '/metrics' ? metrics : readiness && req.url === '/readyz' ? readyz : undefined;
    if (!answer) return void res.writeHead(404).end();
    try {
      await answer(req, res);
    } catch {
      res.writeHead(500).end();
    }
  };
}

/**
 * Shows the metrics of this process at `/metrics`, on a listener of their own that the public never reaches.
 *
 * @param port where; 0 for not at all
 * @param host the address to listen on
 * @param readiness for a process without a port of its own: answered at `/readyz`
 * @returns a function that ends it
 * @throws when the address is taken
 */
export async function serveMetrics(port: number, host: string, readiness?: Readiness): Promise<() => Promise<void>> {
  if (port === 0) return async () => undefined;
  const server = createServer(
    { requestTimeout: SCRAPE_TIMEOUT_MS, headersTimeout: SCRAPE_TIMEOUT_MS },
    listenerOf(readiness),
  );
  server.listen(port, host);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
  };
}
