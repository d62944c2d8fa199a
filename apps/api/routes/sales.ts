import { z } from 'zod';
import { currencyDigits } from '#core/rules/currencies.js';
import { OPENINGS, PASS_LEAD_MS, passUsefulAtMs, phaseOf, roughly } from '#core/rules/sale.js';
import { amountMinor, currency, digits, instant, ofSale, saleId } from '../answers/fields.js';
import { publicEndpoint } from '../http/endpoint.js';
import type { Admission } from '../load/load.js';
import { redisNowMs, type Sales } from '../mirror/sales.js';

const SaleStatus = z.object({
  id: saleId,
  title: z.string(),
  priceMinor: amountMinor,
  currency,
  currencyDigits: digits,
  opensAt: instant,
  closesAt: instant,
  opening: z.enum(OPENINGS).meta({ description: 'How units are given out at the opening' }),
  joinsAt: instant.optional().meta({ description: 'When buyers may begin to join, for `shuffle` and `draw`' }),
  needsPass: z.boolean().meta({ description: 'Whether buying and joining need a pass from `POST /pass/:saleId`' }),
  passesFrom: instant.optional().meta({ description: 'When buyers get the first passes, if the sale needs them' }),
  state: z.enum(['upcoming', 'joining', 'drawing', 'open', 'sold_out', 'paused', 'closed']),
  units: z.int().min(0).meta({ description: 'How many there are in all' }),
  remaining: z.int().min(0).meta({ description: 'How many are free, at most 2 s ago' }),
  remainingIsRough: z
    .literal(true)
    .optional()
    .meta({ description: '`remaining` is rounded up to 10, 100, 1000 and so on. 0 is exact' }),
  serverTime: instant.meta({ description: 'The clock that decides when the sale opens' }),
});

interface SalesParts {
  readonly sales: Pick<Sales, 'find'>;
  readonly load: Admission;
}

/**
 * Answers with a sale, the one thing that the page reads before the sale opens. Caches may keep the answer for a
 * second, so it is at most 2 s old.
 */
export const sales = publicEndpoint(
  {
    method: 'get',
    path: '/sales/:saleId',
    summary: 'What is for sale, and whether it can be bought now',
    params: ofSale,
    replies: { 200: { description: 'The sale', body: SaleStatus } },
    problems: ['unknown_sale'],
  },
  async ({ sales, load }: SalesParts, { saleId }) => {
    load.admit('page');
    const sale = await sales.find(saleId);
    const nowMs = redisNowMs(sale);
    const body: z.input<typeof SaleStatus> = {
      id: sale.id,
      title: sale.title,
      priceMinor: sale.priceMinor,
      currency: sale.currency,
      currencyDigits: currencyDigits(sale.currency),
      opensAt: new Date(sale.opensAtMs).toISOString(),
      closesAt: new Date(sale.closesAtMs).toISOString(),
      opening: sale.opening,
      ...(sale.joinsAtMs === undefined ? {} : { joinsAt: new Date(sale.joinsAtMs).toISOString() }),
      needsPass: sale.needsPass,
      ...(sale.needsPass ? { passesFrom: new Date(passUsefulAtMs(sale) - PASS_LEAD_MS).toISOString() } : {}),
      state: phaseOf(sale, sale.remaining, nowMs),
      units: sale.units,
      ...(sale.coarseStock
        ? { remaining: roughly(sale.remaining, sale), remainingIsRough: true }
        : { remaining: sale.remaining }),
      serverTime: new Date(nowMs).toISOString(),
    };
    return { status: 200, body, headers: { 'cache-control': 'public, max-age=1' } };
  },
);
