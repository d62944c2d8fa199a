import { issueToken } from '#core/identity/token.js';
import { createOpenSale } from '../crowd/open-sale.js';
import { requestPass } from '../crowd/pass/request-pass.js';
import { holds, reckon, untilAtRest } from '../crowd/reckoning.js';
import { type Answer, createStorefront } from '../crowd/storefront.js';
import { pauseUntil } from '../processes/pause.js';
import type { Shop } from './sales.js';

// A script that wants units of a sale that needs passes, without working for them and then with the work.

/** The accounts of the script, the units, and the most tries that a pass costs. */
export const WORKED = { accounts: 20, units: 10, work: 500 };

/** The passes of a sale, the clicks that were refused for want of one, and the CPU time that the median pass cost its buyer, in ms. */
export interface Passes {
  issued: number;
  refused: number;
  medianCpuMs: number;
}

/** Long enough for the work of all accounts on a busy machine. */
const LEAD_MS = 8_000;
const REST_DEADLINE_MS = 30_000;

/**
 * Lets a script buy in a sale that needs passes. Each account clicks without a pass and with that of another account before it uses its own.
 * The passes are worked for one after the other, so that the CPU time of this process is that of one pass.
 *
 * @returns the counts, and one line for each violation
 */
export async function sellWithPasses({
  connections,
  baseUrls,
  authSecret,
}: Shop): Promise<{ passes: Passes; wrong: string[] }> {
  const shop = createStorefront(baseUrls[0] ?? '', 1);
  const rules = { needsPass: true, passWork: WORKED.work };
  const wishes = { units: WORKED.units, opensAtMs: Date.now() + LEAD_MS, priceMinor: 0, payWithinSeconds: 2, ...rules };
  const { id: saleId } = await createOpenSale(connections, wishes);
  const tokens = Array.from({ length: WORKED.accounts }, (_, i) => issueToken(authSecret, `account-${i}`));
  try {
    const costs: number[] = [];
    const passes: string[] = [];
    for (const token of tokens) {
      const before = process.cpuUsage();
      const { pass = '' } = await requestPass(solution => shop.ask('pass', saleId, token, { solution }));
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 1_000);
      passes.push(pass);
    }
    await pauseUntil(Math.max(0, wishes.opensAtMs - Date.now()), AbortSignal.timeout(LEAD_MS));
    const click = (i: number, pass?: string) => shop.ask('buy', saleId, tokens[i] ?? '', { pass });
    const without = await Promise.all(tokens.map((_, i) => click(i)));
    const foreign = await Promise.all(tokens.map((_, i) => click(i, passes[(i + 1) % passes.length])));
    const own = await Promise.all(tokens.map((_, i) => click(i, passes[i])));
    await untilAtRest(connections, saleId, REST_DEADLINE_MS);
    const verdict = await reckon(connections, saleId, []);
    const lines = holds(verdict) ? [] : [...verdict.wrong, `sale ${saleId} did not keep its promises`];
    const refused = [...without, ...foreign].filter(isRefused).length;
    if (refused < 2 * WORKED.accounts)
      lines.push(`${2 * WORKED.accounts - refused} clicks without the buyer's pass were let in`);
    if (own.filter(({ claimId }) => claimId !== undefined).length < WORKED.units)
      lines.push('units were left with good passes');
    const issued = passes.filter(pass => pass !== '').length;
    return { passes: { issued, refused, medianCpuMs: medianOf(costs) }, wrong: lines.map(line => `passes: ${line}`) };
  } finally {
    await shop.close();
  }
}

const isRefused = ({ http }: Answer): boolean => http === 403;

function medianOf(costs: readonly number[]): number {
  const sorted = [...costs].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
