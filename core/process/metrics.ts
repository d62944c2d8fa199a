import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** All Prometheus metrics of this process. */
const registry = new Registry();
collectDefaultMetrics({ register: registry });

/**
 * Creates a Prometheus counter of this process.
 *
 * @param name without the prefix `dropline_`, with the suffix `_total`
 * @param help a description in one line of text
 * @param labelNames labels with few values: never a buyer or a claim
 */
export function counter<L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> {
  return new Counter({ name: `dropline_${name}`, help, labelNames, registers: [registry] });
}

/**
 * Creates a Prometheus gauge of this process. It appears with its first value: a process in which nothing sets it shows
 * no 0, which somebody might take for a measurement.
 *
 * @param name without the prefix `dropline_`
 * @param help a description in one line of text
 * @returns a function that sets the gauge
 */
export function gauge(name: string, help: string): (value: number) => void {
  let created: Gauge | undefined;
  return value => {
    created ??= new Gauge({ name: `dropline_${name}`, help, registers: [registry] });
    created.set(value);
  };
}

/**
 * Creates a Prometheus gauge of this process whose value is read at each scrape.
 *
 * @param name without the prefix `dropline_`
 * @param help a description in one line of text
 * @param read reads the value; a failed reading gives NaN
 */
export function scrapedGauge(name: string, help: string, read: () => Promise<number>): void {
  new Gauge({
    name: `dropline_${name}`,
    help,
    registers: [registry],
    async collect() {
      this.set(await read().catch(() => Number.NaN));
    },
  });
}

/**
 * Creates a Prometheus histogram of this process.
 *
 * @param name without the prefix `dropline_`, with the unit
 * @param help a description in one line of text
 * @param buckets upper bounds, in the unit of the metric
 * @param labelNames labels with few values
 */
export function histogram<L extends string>(
  name: string,
  help: string,
  buckets: number[],
  ...labelNames: L[]
): Histogram<L> {
  return new Histogram({ name: `dropline_${name}`, help, buckets, labelNames, registers: [registry] });
}

/** Time limit for a request on the metrics port, in ms. A scrape reads this process's memory and at most one store. */
const SCRAPE_TIMEOUT_MS = 5_000;

/** Returns the reasons why this process is not ready for work; an empty list means ready. */
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
 * Serves `/metrics` for Prometheus on a separate port, which the public never reaches.
 *
 * @param port 0 turns the metrics off
 * @param host the address to bind
 * @param readiness answers `/readyz` on the same port, for a process without another port
 * @returns a function that closes the port
 * @throws Error when the address is in use
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
