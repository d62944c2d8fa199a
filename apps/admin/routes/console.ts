import type { Express, Request, Response } from 'express';
import { z } from 'zod';
import { Audits } from '#core/comparison/audits.js';
import { type ChangedSale, type ChangeOutcome, changeSale } from '#core/operator/change-sale.js';
import { overviewOf, overviewsOf } from '#core/operator/sale-overview.js';
import { readSale, readSales, type SaleUpdate } from '#core/postgres/sales.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { DeadlineExceeded, Problem } from '#core/rules/errors.js';
import { type Sale, UNITS_MAX } from '#core/rules/sale.js';
import type { StepContext } from '#core/steps/context.js';
import { wholeNumber } from '#core/values/number.js';
import { callerOf, hasRole } from '../http/caller.js';
import { ANSWER_MS, timely } from '../http/deadline.js';
import { wantsHtml } from '../http/problem.js';
import { salePage } from '../pages/sale-page.js';
import { salesPage } from '../pages/sales-page.js';

/**
 * The most sales on the console's first page. `npm run cli -- sale list` shows the older ones, and every sale has a
 * page at /sales/:saleId.
 */
const LISTED_MAX = 50;

/** The largest number of changes of a sale that Postgres can store. */
const GENERATION_MAX = 2 ** 31 - 1;

/** A person sees how far an audit is after this time, in ms. A program waits for the result. */
const AUDIT_PATIENCE_MS = 1_500;

type OneSale = { saleId: string };

/**
 * The body of a restock. The page's form names the sale's generation, which counts an operator's changes. A form that
 * is sent twice then names a stale generation, and adds its units only once.
 */
const restockBody = z.object({
  units: wholeNumber({ min: 1, max: UNITS_MAX }),
  generation: wholeNumber({ min: 1, max: GENERATION_MAX }).optional(),
});

/** A change that an operator can make to a sale. `name` is the last segment of its URL, such as `pause`. */
interface Change {
  name: string;
  updateOf(body: unknown): SaleUpdate;
}

const CHANGES: Change[] = [
  { name: 'pause', updateOf: () => ({ state: 'paused' }) },
  { name: 'resume', updateOf: () => ({ state: 'open' }) },
  { name: 'close', updateOf: () => ({ state: 'closed' }) },
  { name: 'restock', updateOf: parseRestock },
];

/** Adds the routes of the sale console: pages for people, and JSON at the same addresses for programs. */
export function addConsole(app: Express, ctx: StepContext): void {
  const audits = new Audits(ctx);
  app.get(
    ['/', '/sales'],
    timely((req, res) => showSales(ctx, req, res)),
  );
  app.get(
    '/sales/:saleId',
    timely<OneSale>((req, res) => showSale(ctx, req, res)),
  );
  app.get(
    '/sales/:saleId/audit',
    timely<OneSale>((req, res) => showAudit({ ...ctx, audits }, req, res)),
  );
  for (const change of CHANGES) {
    app.post(`/sales/:saleId/${change.name}`, timely<OneSale>(createChangeHandler(ctx, change)));
  }
}

async function showSales(ctx: StepContext, req: Request, res: Response): Promise<void> {
  const sales = await overviewsOf(ctx, await readSales(ctx.db, LISTED_MAX));
  if (wantsHtml(req)) res.type('html').send(salesPage(sales).text);
  else res.json({ sales });
}

async function showSale(ctx: StepContext, req: Request<OneSale>, res: Response): Promise<void> {
  const sale = await overviewOf(ctx, await readKnownSale(ctx, req));
  if (wantsHtml(req)) res.type('html').send(salePage(sale, { ...viewOf(res), live: req.query.live === '1' }).text);
  else res.json(sale);
}

async function showAudit(ctx: StepContext & { audits: Audits }, req: Request<OneSale>, res: Response): Promise<void> {
  const { id } = await readKnownSale(ctx, req);
  const isPage = wantsHtml(req);
  const audit = await ctx.audits.ask(id, isPage ? AUDIT_PATIENCE_MS : ANSWER_MS);
  // A program asks again, and then gets the result of the same audit.
  if (!isPage && typeof audit === 'number') throw new DeadlineExceeded('the audit takes longer than a request may');
  if (!isPage) return void res.json(audit);
  const sale = await overviewOf(ctx, await readKnownSale(ctx, req));
  res.type('html').send(salePage(sale, { ...viewOf(res), audit }).text);
}

/** Returns what the page of a sale shows to this operator. */
function viewOf(res: Response): { mayChange: boolean } {
  return { mayChange: hasRole(res, 'operate') };
}

function parseRestock(body: unknown): SaleUpdate {
  const { success, data } = restockBody.safeParse(body);
  if (!success) throw new Problem('invalid_request', { detail: `units must be a whole number from 1 to ${UNITS_MAX}` });
  return { addUnits: data.units, generation: data.generation };
}

function createChangeHandler(ctx: StepContext, { name, updateOf }: Change) {
  return async (req: Request<OneSale>, res: Response): Promise<void> => {
    const { id } = await readKnownSale(ctx, req);
    const update = updateOf(req.body);
    const outcome = await changeSale(ctx, id, update);
    const inRedis = outcome.kind === 'changed' && outcome.inRedis;
    const facts = { ...callerOf(res), saleId: id, change: name, update, outcome: outcome.kind, inRedis };
    ctx.log.info(facts, 'sale changed by an operator');
    answerChange(outcome, req, res);
  };
}

/**
 * Reads the sale that the URL names from Postgres.
 *
 * @throws Problem `unknown_sale` when Postgres has no such sale
 */
async function readKnownSale(ctx: StepContext, { params: { saleId } }: Request<OneSale>): Promise<Sale> {
  const sale = ID_PATTERN.test(saleId) ? await readSale(ctx.db, saleId) : undefined;
  if (!sale) throw new Problem('unknown_sale');
  return sale;
}

function answerChange(outcome: ChangeOutcome, req: Request, res: Response): void {
  const { sale, promoted, inRedis } = changed(outcome);
  const { id, state, units, generation } = sale;
  // After a change, the browser is redirected to the sale's page, as reloading that page repeats no change.
  if (wantsHtml(req)) res.redirect(303, `/sales/${id}`);
  else res.json({ sale: id, state, units, generation, promoted, inRedis });
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
