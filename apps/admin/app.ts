import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { answerBoard } from './board.js';
import type { AdminContext } from './context.js';
import { requireLogin, requireSameOrigin } from './gate.js';
import { answerError, answerNotFound } from './problem.js';
import { addConsole } from './routes/console.js';
import { addHealth } from './routes/health.js';
import { addLogin } from './routes/login.js';
import { addMoney } from './routes/money.js';

/** A form with one field. */
const BODY_LIMIT = '2kb';

/** The console has no script at all, so whatever slipped into a page could not run. */
const CONSOLE_POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** bull-board is a program in the browser, with styles of its own; it would fetch fonts from elsewhere, and may not. */
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
    // Not 'no-referrer': then a form's Origin would be null.
    referrerPolicy: { policy: 'same-origin' },
  });

const neverStore: RequestHandler = (_req, res, next) => {
  res.setHeader('cache-control', 'no-store');
  next();
};

/**
 * Puts the admin together. The order is the protection: what stands above the login is open to everybody, what stands below is
 * not, whatever is mounted there.
 *
 * @param ctx the admin's clients
 * @returns what answers requests
 */
export function createApp(ctx: AdminContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(policy(CONSOLE_POLICY), neverStore);
  app.use(requireSameOrigin);
  app.get('/admin.css', (_req, res) => res.sendFile(join(import.meta.dirname, 'admin.css')));
  addHealth(app, ctx);
  app.use(express.urlencoded({ extended: false, limit: BODY_LIMIT }));
  addLogin(app, ctx);
  app.use(requireLogin(ctx));
  // Parsed here, so that what can't be is answered as everywhere: bull-board has answers of its own.
  app.use('/queues', policy(BOARD_POLICY), express.json(), answerBoard(ctx));
  app.use(express.json({ limit: BODY_LIMIT }));
  addConsole(app, ctx);
  addMoney(app, ctx);
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}
