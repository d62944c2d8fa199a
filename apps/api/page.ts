import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';

/** Beside us in dist/ as in the sources. */
const WEB = join(import.meta.dirname, '../web');

const sendPage: RequestHandler = (_req, res, next) => {
  // A new version of the page must be seen at once: it names the assets by their hash.
  const headers = { 'cache-control': 'no-cache' };
  res.sendFile('index.html', { root: WEB, cacheControl: false, headers }, error => {
    if (!error) return;
    // The client went away in the middle: there is nobody to tell.
    if (res.headersSent) res.destroy();
    else next(error);
  });
};

/**
 * Serves the page, and its assets so that a CDN keeps them for good: their names have a hash, so a file of that name never
 * changes. In the sources they are as they were written, and change.
 *
 * @param app where
 */
export function mountPage(app: Express): void {
  app.get(['/', '/s/:saleId'], sendPage);
  const built = join(WEB, 'assets');
  const isBuilt = existsSync(built);
  const caching = isBuilt ? { immutable: true, maxAge: '1y' } : { maxAge: 0 };
  const folders = isBuilt ? [built] : [WEB, join(WEB, 'scripts')];
  for (const folder of folders)
    app.use('/assets', express.static(folder, { ...caching, index: false, redirect: false }));
}
