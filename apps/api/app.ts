import express, { type Express } from 'express';
import helmet from 'helmet';
import type { ApiContext } from './context.js';
import { passSmallBody } from './http/body.js';
import { listenerOf } from './http/endpoint.js';
import { answerError, answerNotAllowed, answerNotFound } from './http/problem.js';
import { paymentWebhook } from './listeners/payment-webhook.js';
import { mountPage } from './page.js';
import { endpointsOf } from './routes/index.js';
import { paymentWebhookContract } from './routes/payment-webhook.js';
import { streamListener } from './waiting/stream.js';

/** The page loads its own files and talks to us, nothing else. */
const SECURITY = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
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
    },
  },
});

/**
 * @param ctx the API's parts
 * @returns everything but what is answered first (server.ts)
 */
export function createApp(ctx: ApiContext): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  // A path has one spelling, here as in nginx: else a request could pass by nginx's limits and time-outs for its call.
  app.enable('case sensitive routing').enable('strict routing');
  app.use(SECURITY);
  // A provider's event has a body, and is proven by its bytes: it comes before everybody who has none.
  app.route(paymentWebhookContract.path).post(paymentWebhook(ctx)).all(answerNotAllowed('POST'));
  app.use(passSmallBody);
  app.get('/order-status/:saleId', streamListener(ctx));
  for (const endpoint of endpointsOf(ctx.config)) {
    const allowed = endpoint.method === 'get' ? 'GET, HEAD' : 'POST';
    app.route(endpoint.path)[endpoint.method](listenerOf(ctx, endpoint)).all(answerNotAllowed(allowed));
  }
  mountPage(app);
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}
