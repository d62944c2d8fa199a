import { residentBytes } from '../../measure/cpu.js';
import { underLoad } from '../../measure/crowd.js';
import type { Figures } from '../../measure/round.js';
import type { Rig } from '../../rig/rig.js';
import { createRedisSale, forgetAll, winAll } from '../../rig/sale.js';
import { type Server, startApi } from '../../rig/server.js';

const UNITS = 100;
/** The number of the first holder, beyond every buyer of the crowd. */
const FIRST_HOLDER = 5_000_000;
const CROWD = 100_000;
const SAMPLE_MS = 1_000;
const MEGABYTE = 1_048_576;

/** Asks whether the API's memory stays flat while it refuses a crowd. A fresh API shows its start, too. */
export async function memory(rig: Rig): Promise<Figures> {
  const api = await startApi(rig);
  try {
    return await whileRefusing(rig, api);
  } finally {
    await api.stop();
  }
}

async function whileRefusing(rig: Rig, api: Server): Promise<Figures> {
  await forgetAll(rig);
  const saleId = await createRedisSale(rig, UNITS);
  await winAll(rig, { saleId, first: FIRST_HOLDER, count: UNITS });
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(residentBytes(api.pid) / MEGABYTE), SAMPLE_MS);
  const crowd = { path: `/buy/${saleId}`, count: CROWD, again: true, seconds: rig.options.memorySeconds };
  const run = underLoad(rig, { server: api, crowd, expected: [409] });
  const { outcome } = await run.finally(() => clearInterval(timer));
  const half = samples.slice(Math.floor(samples.length / 2));
  return {
    refusals: outcome.answers,
    minutes: outcome.seconds / 60,
    megabytesAtHalf: average(half.slice(0, Math.ceil(half.length / 4))),
    megabytesAtEnd: average(half.slice(-Math.ceil(half.length / 4))),
    megabytesMax: Math.max(...samples),
  };
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
