import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { type Express, type RequestHandler, Router } from 'express';
import { bucketOfQueue, type Queues, queuesOf } from '#core/queue/queues.js';
import { Problem } from '#core/rules/errors.js';
import { hasRole } from '../http/caller.js';

/**
 * Creates the bull-board of every queue. With BOARD_WRITE=1, operators with the role `operate` may change queues, and
 * the others get a board without buttons. A change loses no claim and no expiry. The maintenance actors (recurring
 * tasks of a worker) `rescue` and `expire-overdue` do the work of a missing job.
 *
 * @param options `isWritable`: the setting BOARD_WRITE
 * @returns the routes below /queues; they don't check the login themselves
 */
export function createBoards(queues: Queues, { isWritable }: { isWritable: boolean }): RequestHandler {
  const readOnly = createBoard(queues, { isWritable: false });
  if (!isWritable) return readOnly;
  const writable = createBoard(queues, { isWritable });
  return (req, res, next) => (hasRole(res, 'operate') ? writable : readOnly)(req, res, next);
}

function createBoard(queues: Queues, { isWritable }: { isWritable: boolean }): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/queues');
  createBullBoard({
    queues: queuesOf(queues).map(
      queue => new BullMQAdapter(queue, { readOnlyMode: !isWritable, prefix: bucketOfQueue(queue) }),
    ),
    serverAdapter,
    options: {
      uiConfig: { boardTitle: 'Dropline queues', hideDocsLink: true, miscLinks: [{ text: 'Sales', url: '/' }] },
    },
  });
  const router = Router();
  // bull-board itself refuses a change of one read-only queue. To a change of all queues it answers 200 and does
  // nothing, so it is refused here.
  if (!isWritable) router.use(refuseChanges);
  const board = serverAdapter.getRouter() as Express;
  router.use(board.disable('x-powered-by'));
  return router;
}

const refuseChanges: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  res.setHeader('allow', 'GET, HEAD');
  throw new Problem('method_not_allowed', { detail: 'the board is read-only: start the admin with BOARD_WRITE=1' });
};
