import { serveMetrics } from '#core/process/metrics.js';
import { freePort } from '#stack/processes/free-port.js';

/**
 * @param series a metric with its labels, as it is shown
 * @returns its value in this process, as whoever scrapes it reads it; 0 before anything happened
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
