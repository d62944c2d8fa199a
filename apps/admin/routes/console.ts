import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { audit } from '#core/comparison/audit.js';
import { type ChangedSale, type ChangeOutcome, changeSale } from '#core/operator/change-sale.js';
import { overviewOf, type SaleOverview } from '#core/operator/sale-overview.js';
import { readSale, readSales, type SaleUpdate } from '#core/postgres/sales.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { Problem } from '#core/rules/errors.js';
import { type Sale, UNITS_MAX } from '#core/rules/sale.js';
import type { AdminContext } from '../context.js';
import { timely } from '../deadline.js';
import { salePage } from '../pages/sale-page.js';
import { salesPage } from '../pages/sales-page.js';
import { wantsHtml } from '../problem.js';

/** Sales on the first page; older ones are found by their id, and with `npm run cli -- sale list`. */
const LISTED_MAX = 50;

type OneSale = { saleId: string };

/** A form that is sent twice names the same generation twice, and counts once. */
const restockBody = z.object({
  units: z.coerce.number().int().min(1).max(UNITS_MAX),
  generation: z.coerce.number().int().min(1).optional(),
});

const CHANGES: Record<string, (body: unknown) => SaleUpdate> = {
  pause: () => ({ state: 'paused' }),
  resume: () => ({ state: 'open' }),
  close: () => ({ state: 'closed' }),
  restock: body => {
    const { success, data } = restockBody.safeParse(body);
    if (!success)
      throw new Problem('invalid_request', { detail: `units must be a whole number from 1 to ${UNITS_MAX}` });
    return { addUnits: data.units, generation: data.generation };
  },
};

/**
 * The sale console: pages for people, JSON at the same addresses for programs.
 *
 * @param app gets `/`, `/sales` and what is below it
 * @param ctx the stores
 */
export function addConsole(app: Express, ctx: AdminContext): void {
  app.get(
    ['/', '/sales'],
    timely(async (req, res) => {
      const sales = await listOverviews(ctx);
      if (wantsHtml(req)) res.type('html').send(salesPage(sales).text);
      else res.json({ sales });
    }),
  );
  app.get(
    '/sales/:saleId',
    timely<OneSale>(async (req, res) => {
      const sale = await findOverview(ctx, req.params.saleId);
      if (wantsHtml(req)) res.type('html').send(salePage(sale, { live: req.query.live === '1' }).text);
      else res.json(sale);
    }),
  );
  app.get(
    '/sales/:saleId/audit',
    timely<OneSale>(async (req, res) => {
      const { id } = await findSale(ctx, req.params.saleId);
      const proof = await audit(ctx.db, ctx.redis, id);
      if (wantsHtml(req)) res.type('html').send(salePage(await findOverview(ctx, id), { audit: proof }).text);
      else res.json(proof);
    }),
  );
  for (const [name, updateOf] of Object.entries(CHANGES)) {
    app.post(
      `/sales/:saleId/${name}`,
      timely<OneSale>(async (req, res) => {
        const { id } = await findSale(ctx, req.params.saleId);
        const update = updateOf(req.body);
        const outcome = await changeSale(ctx, id, update);
        const inRedis = outcome.kind === 'changed' && outcome.inRedis;
        ctx.log.info(
          { saleId: id, change: name, update, outcome: outcome.kind, inRedis },
          'sale changed by an operator',
        );
        answerChange(req, res, id, outcome);
      }),
    );
  }
}

async function listOverviews(ctx: AdminContext): Promise<SaleOverview[]> {
  const overviews: SaleOverview[] = [];
  for (const sale of await readSales(ctx.db, LISTED_MAX)) overviews.push(await overviewOf(ctx, sale));
  return overviews;
}

async function findOverview(ctx: AdminContext, saleId: string): Promise<SaleOverview> {
  return overviewOf(ctx, await findSale(ctx, saleId));
}

async function findSale(ctx: AdminContext, saleId: string): Promise<Sale> {
  const sale = ID_PATTERN.test(saleId) ? await readSale(ctx.db, saleId) : undefined;
  if (!sale) throw new Problem('unknown_sale');
  return sale;
}

function answerChange(req: Request, res: Response, saleId: string, outcome: ChangeOutcome): void {
  const { sale, promoted, inRedis } = changed(outcome);
  const { state, units, generation } = sale;
  // Back to the page, so that reloading it doesn't do it again.
  if (wantsHtml(req)) res.redirect(303, `/sales/${saleId}`);
  else res.json({ sale: saleId, state, units, generation, promoted, inRedis });
}

function changed(outcome: ChangeOutcome): ChangedSale {
  switch (outcome.kind) {
    case 'unknown_sale':
      throw new Problem('unknown_sale');
    case 'closed':
      throw new Problem('sale_closed', { detail: 'a closed sale stays as it is' });
    case 'changed_meanwhile':
      throw new Problem('changed_meanwhile', {
        detail: 'look at the sale, and add the units if they are still missing',
      });
    case 'too_many_units':
      throw new Problem('invalid_request', { detail: `a sale has at most ${UNITS_MAX} units` });
    case 'changed':
      return outcome;
  }
}
