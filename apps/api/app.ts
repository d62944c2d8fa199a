import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { ApiContext } from './context.js';
import { passSmallBody } from './http/body.js';
import { listenerOf } from './http/endpoint.js';
import { answerError, answerNotAllowed, answerNotFound } from './http/problem.js';
import { createPaymentWebhook } from './listeners/payment-webhook.js';
import { mountPage } from './page.js';
import { endpointsOf } from './routes/index.js';
import { paymentWebhookContract } from './routes/payment-webhook.js';

/** The Content-Security-Policy of every answer of Express: the page may load its own files and call this API only. */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/**
 * Creates the security headers of every answer of Express. With HSTS=1 they bind browsers to HTTPS for this host. Its
 * subdomains belong to the shop, which decides about them.
 */
const securityHeaders = ({ HSTS }: { HSTS: boolean }): RequestHandler =>
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: POLICY },
    strictTransportSecurity: HSTS && { includeSubDomains: false },
  });

/**
 * Creates the Express application. It answers every request that the listeners tried before Express
 * (apps/api/server.ts) leave to it.
 */
export function createApp(ctx: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  // A path has one spelling, as in nginx. Otherwise a request could bypass the limits and time-outs that nginx has for a call.
  app.enable('case sensitive routing').enable('strict routing');
  app.use(securityHeaders(ctx.config));
  // A payment provider signs the raw bytes of its webhook's body, so this route stands before the check for bodies. No
  // other call here needs a body.
  app.route(paymentWebhookContract.path).post(createPaymentWebhook(ctx)).all(answerNotAllowed('POST'));
  app.use(passSmallBody);
  for (const endpoint of endpointsOf(ctx.config)) {
    const allowed = endpoint.method === 'get' ? 'GET, HEAD' : 'POST';
    app.route(endpoint.path)[endpoint.method](listenerOf(ctx, endpoint)).all(answerNotAllowed(allowed));
  }
  mountPage(app, ctx.load);
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}
