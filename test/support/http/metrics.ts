import { serveMetrics } from '#core/process/metrics.js';
import { freePort } from '#stack/processes/free-port.js';

/**
 * Reads a metric of this process over HTTP, as Prometheus does.
 *
 * @param series name and labels in the text format
 * @returns the value; 0 for a missing series
 */
export async function readMetric(series: string): Promise<number> {
  const port = await freePort();
  const close = await serveMetrics(port, '127.0.0.1');
  try {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const line = text.split('\n').find(one => one.startsWith(`${series} `));
    return Number(line?.slice(series.length) ?? 0);
  } finally {
    await close();
  }
}
