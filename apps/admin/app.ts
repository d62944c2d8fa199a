import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { AdminContext } from './context.js';
import { logChanges, nameRequest } from './http/caller.js';
import { requireLogin, requireSameOrigin } from './http/gate.js';
import { requireKnownHost } from './http/host.js';
import { addProblems } from './http/problem.js';
import { requireRole } from './http/roles.js';
import { createBoards } from './routes/board.js';
import { addConsole } from './routes/console.js';
import { addHealth } from './routes/health.js';
import { addLogin } from './routes/login.js';
import { addMoney } from './routes/money.js';

/** The largest request body that the admin accepts. The console's forms have one or two fields. */
const BODY_LIMIT = '2kb';

/**
 * The Content-Security-Policy of the console. Its pages need no script, so the browser runs none, not even an injected
 * one.
 */
const CONSOLE_POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/**
 * The Content-Security-Policy of bull-board, the page about the queues. It needs scripts and inline styles; the fonts
 * that it requests from other hosts stay blocked.
 */
const BOARD_POLICY = {
  ...CONSOLE_POLICY,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  connectSrc: ["'self'"],
  fontSrc: ["'self'", 'data:'],
  baseUri: ["'self'"],
};

const securityHeaders = (directives: Record<string, string[]>, { HSTS }: { HSTS: boolean }): RequestHandler =>
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Subdomains of the console's host belong to the shop, which decides about them.
    strictTransportSecurity: HSTS && { includeSubDomains: false },
    // With 'no-referrer', browsers would send `Origin: null` with the console's forms, and the check of their origin
    // would fail.
    referrerPolicy: { policy: 'same-origin' },
  });

const neverStore: RequestHandler = (_req, res, next) => {
  res.setHeader('cache-control', 'no-store');
  next();
};

/**
 * Assembles the admin's Express app. The order of its routes protects them: routes above `requireLogin` are public, all
 * routes below it are for operators only.
 */
export function createApp(ctx: AdminContext): Express {
  const { config } = ctx;
  const app = express();
  app.disable('x-powered-by');
  app.use(nameRequest, securityHeaders(CONSOLE_POLICY, config), neverStore);
  app.use(requireSameOrigin);
  app.get('/admin.css', (_req, res) => res.sendFile(join(import.meta.dirname, 'admin.css'), { acceptRanges: false }));
  addHealth(app, ctx);
  // Orchestrators ask for the health by any name, so its routes stand above this check.
  app.use(requireKnownHost([config.ADMIN_HOST.toLowerCase(), ...config.ADMIN_HOSTS]));
  app.use(express.urlencoded({ extended: false, limit: BODY_LIMIT }));
  addLogin(app, ctx);
  app.use(requireLogin(ctx), logChanges(ctx.log), requireRole);
  // bull-board's JSON bodies are parsed here, so a malformed one gets the admin's own error. bull-board would answer it
  // in another format.
  app.use(
    '/queues',
    securityHeaders(BOARD_POLICY, config),
    express.json(),
    createBoards(ctx.queues, { isWritable: config.BOARD_WRITE }),
  );
  app.use(express.json({ limit: BODY_LIMIT }));
  addConsole(app, ctx);
  addMoney(app, ctx);
  addProblems(app);
  return app;
}
