import { serveMetrics } from '#core/process/metrics.js';
import { freePort } from '#stack/processes/free-port.js';

/** Reads all metrics of this process over HTTP, as Prometheus does. */
export async function readMetrics(): Promise<string> {
  const port = await freePort();
  const close = await serveMetrics(port, '127.0.0.1');
  try {
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  } finally {
    await close();
  }
}

/**
 * Reads a metric of this process.
 *
 * @param series name and labels in the text format
 * @returns the value; 0 for a missing series
 */
export async function readMetric(series: string): Promise<number> {
  const line = (await readMetrics()).split('\n').find(one => one.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}
