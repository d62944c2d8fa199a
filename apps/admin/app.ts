import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { AdminContext } from './context.js';
import { requireLogin, requireSameOrigin } from './http/gate.js';
import { addProblems } from './http/problem.js';
import { createBoard } from './routes/board.js';
import { addConsole } from './routes/console.js';
import { addHealth } from './routes/health.js';
import { addLogin } from './routes/login.js';
import { addMoney } from './routes/money.js';

/** The largest body is a form with one field. */
const BODY_LIMIT = '2kb';

/** The console has no script of its own, so a script that slipped into a page can't run. */
const CONSOLE_POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** bull-board runs scripts and inline styles in the browser; the fonts it asks other hosts for stay blocked. */
const BOARD_POLICY = {
  ...CONSOLE_POLICY,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  connectSrc: ["'self'"],
  fontSrc: ["'self'", 'data:'],
  baseUri: ["'self'"],
};

const policy = (directives: Record<string, string[]>): RequestHandler =>
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Not 'no-referrer': browsers would then send `Origin: null` with a form.
    referrerPolicy: { policy: 'same-origin' },
  });

const neverStore: RequestHandler = (_req, res, next) => {
  res.setHeader('cache-control', 'no-store');
  next();
};

/**
 * Puts the admin together. The order is the protection: routes above `requireLogin` are public, all routes below it are
 * for operators only.
 */
export function createApp(ctx: AdminContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(policy(CONSOLE_POLICY), neverStore);
  app.use(requireSameOrigin);
  app.get('/admin.css', (_req, res) => res.sendFile(join(import.meta.dirname, 'admin.css')));
  addHealth(app, ctx);
  app.use(express.urlencoded({ extended: false, limit: BODY_LIMIT }));
  addLogin(app, ctx.keys);
  app.use(requireLogin(ctx.keys));
  // Bodies are parsed here, because bull-board answers a malformed body in a format of its own.
  app.use(
    '/queues',
    policy(BOARD_POLICY),
    express.json(),
    createBoard(ctx.queues, { isWritable: ctx.config.BOARD_WRITE }),
  );
  app.use(express.json({ limit: BODY_LIMIT }));
  addConsole(app, ctx);
  addMoney(app, ctx);
  addProblems(app);
  return app;
}
