import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import type { Admission } from './load/load.js';

/** The folder of the web page, beside apps/api in dist/ as in the sources. */
const WEB = join(import.meta.dirname, '../web');

/** The folder of ALTCHA's modules, of which the page's sources load some. */
const ALTCHA = join(WEB, '../../node_modules/altcha-lib/dist/esm/v2');

const sendPage: RequestHandler = (_req, res, next) => {
  // index.html names its assets by their hash, so browsers must check for a new version each time.
  const headers = { 'cache-control': 'no-cache' };
  res.sendFile('index.html', { root: WEB, cacheControl: false, headers, acceptRanges: false }, error => {
    if (!error) return;
    // The client disconnected while the page was being sent, so nobody reads an answer.
    if (res.headersSent) res.destroy();
    else next(error);
  });
};

/**
 * Serves the web page and its assets. The name of a built asset contains its hash, so caches may keep the asset for
 * good. In the sources the assets have plain names and change.
 */
export function mountPage(app: Express, load: Admission): void {
  const admit: RequestHandler = (_req, _res, next) => {
    load.admit('page');
    next();
  };
  app.get(['/', '/s/:saleId'], admit, sendPage);
  const built = join(WEB, 'assets');
  const isBuilt = existsSync(built);
  const caching = isBuilt ? { immutable: true, maxAge: '1y' } : { maxAge: 0 };
  // The worker that solves challenges loads modules of ALTCHA. The build copies them.
  if (!isBuilt) app.use('/assets/altcha', admit, express.static(ALTCHA, { index: false, redirect: false }));
  const folders = isBuilt ? [built] : [WEB, join(WEB, 'scripts')];
  for (const folder of folders)
    app.use(
      '/assets',
      admit,
      express.static(folder, { ...caching, index: false, redirect: false, acceptRanges: false }),
    );
}
