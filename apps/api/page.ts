import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';

/** The page's folder, beside apps/api in dist/ as in the sources. */
const WEB = join(import.meta.dirname, '../web');

const sendPage: RequestHandler = (_req, res, next) => {
  // The page names its assets by their hash, so a new version must be seen at once.
  const headers = { 'cache-control': 'no-cache' };
  res.sendFile('index.html', { root: WEB, cacheControl: false, headers }, error => {
    if (!error) return;
    // The client disconnected while the page was sent, so nobody reads an answer.
    if (res.headersSent) res.destroy();
    else next(error);
  });
};

/**
 * Serves the page and its assets. The name of a built asset contains its hash, so caches may keep the asset for good. In
 * the sources the assets have plain names and change.
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
