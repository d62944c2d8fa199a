import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type RequestHandler, Router } from 'express';
import { Problem } from '#core/rules/errors.js';
import type { AdminContext } from './context.js';

/**
 * bull-board over every queue, to look at. With BOARD_WRITE=1 also to change: jobs are hints, so whatever is done to them
 * there, rescue and expire-overdue find what should have happened.
 *
 * @param ctx with the queues
 * @returns what answers below /queues; it has no login of its own
 */
export function answerBoard(ctx: AdminContext): RequestHandler {
  const readOnlyMode = !ctx.config.BOARD_WRITE;
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/queues');
  createBullBoard({
    queues: Object.values(ctx.queues).map(queue => new BullMQAdapter(queue, { readOnlyMode })),
    serverAdapter,
    options: {
      uiConfig: { boardTitle: 'Dropline queues', hideDocsLink: true, miscLinks: [{ text: 'Sales', url: '/' }] },
    },
  });
  const router = Router();
  // By itself it refuses what concerns one queue, and answers 200 to what concerns all of them, having done nothing.
  if (readOnlyMode) router.use(refuseChanges);
  router.use(serverAdapter.getRouter() as RequestHandler);
  return router;
}

const refuseChanges: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  res.setHeader('allow', 'GET, HEAD');
  throw new Problem('method_not_allowed', { detail: 'the board is read-only: start the admin with BOARD_WRITE=1' });
};
