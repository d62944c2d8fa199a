import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
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
 * @returns a gauge of this process
 */
export function gauge(name: string, help: string): Gauge {
  return new Gauge({ name: `dropline_${name}`, help, registers: [registry] });
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

/** A scrape reads memory only; whoever is slower than this is not a Prometheus. */
const SCRAPE_TIMEOUT_MS = 5_000;

const listener: RequestListener = (req, res) => {
  if (req.url !== '/metrics') return void res.writeHead(404).end();
  registry.metrics().then(
    text => res.writeHead(200, { 'content-type': registry.contentType }).end(text),
    () => res.writeHead(500).end(),
  );
};

/**
 * Shows the metrics of this process at `/metrics`, on a listener of their own that the public never reaches.
 *
 * @param port where; 0 for not at all
 * @param host the address to listen on
 * @returns a function that ends it
 * @throws when the address is taken
 */
export async function serveMetrics(port: number, host: string): Promise<() => Promise<void>> {
  if (port === 0) return async () => undefined;
  const server = createServer({ requestTimeout: SCRAPE_TIMEOUT_MS, headersTimeout: SCRAPE_TIMEOUT_MS }, listener);
  server.listen(port, host);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
  };
}
