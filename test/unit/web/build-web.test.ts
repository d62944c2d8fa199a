import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { buildWeb } from '../../../bin/build-web.mjs';

const PAGE = join(import.meta.dirname, '../../../apps/web');
const HASHED = /^[\w-]+\.[0-9a-f]{10}\.(js|css|svg)$/;
/** The most that a phone loads until the page works, in bytes, compressed file by file as by a proxy. */
const BYTES_MAX = 28_500;
/** The modules that only a visitor who checks a draw loads, or one of a sale that needs passes. */
const ON_DEMAND = [
  ...['list', 'list-worker', 'proof'],
  ...['keeper', 'solve', 'solve-worker', 'pow', 'helpers', 'types', 'pbkdf2'],
];
const isOnDemand = (asset: string) => ON_DEMAND.includes(asset.split('.')[0] ?? '');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dropline-web-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const built = (name: string, from = PAGE) => {
  const to = join(folder, name);
  buildWeb({ from, to });
  const assets = readdirSync(join(to, 'assets'))
    .filter(asset => !/\.(gz|br)$/.test(asset))
    .sort();
  const texts = assets.map(asset => readFileSync(join(to, 'assets', asset), 'utf8'));
  return { assets, texts, page: readFileSync(join(to, 'index.html'), 'utf8') };
};

describe('the built page', () => {
  test('names every asset by the hash of its content, and refers to none by its plain name', () => {
    const { assets, texts, page } = built('dist');
    expect(assets.filter(asset => !HASHED.test(asset))).toEqual([]);
    for (const text of [page, ...texts]) {
      const references = [...text.matchAll(/["'](?:\/assets|\.)\/([\w.-]+)["']/g)].map(match => match[1]);
      expect(assets).toEqual(expect.arrayContaining(references));
    }
  });

  test('has the compressed forms of each asset beside it', () => {
    const { assets, texts } = built('dist');
    for (const [i, asset] of assets.entries()) {
      const path = join(folder, 'dist', 'assets', asset);
      expect(gunzipSync(readFileSync(`${path}.gz`)).toString()).toBe(texts[i]);
      expect(brotliDecompressSync(readFileSync(`${path}.br`)).toString()).toBe(texts[i]);
    }
  });

  test('loads all its modules at once, those for checking a draw and for a pass excepted', () => {
    const { assets, page } = built('dist');
    for (const asset of assets) expect([asset, page.includes(`/assets/${asset}`)]).toEqual([asset, !isOnDemand(asset)]);
  });

  test('is the same in every build', () => {
    expect(built('one')).toEqual(built('two'));
  });

  test('gives a new name to a changed asset and to everything that refers to it', () => {
    const from = join(folder, 'source');
    cpSync(PAGE, from, { recursive: true });
    const before = built('before', from);
    writeFileSync(
      join(from, 'scripts/texts.js'),
      readFileSync(join(from, 'scripts/texts.js'), 'utf8').replace('Buy now', 'Kaufen'),
    );
    const after = built('after', from);
    const renamed = after.assets.filter(asset => !before.assets.includes(asset)).map(asset => asset.split('.')[0]);
    expect(renamed).toEqual(['card', 'dialog', 'page', 'part', 'texts', 'view']);
    expect(after.page).not.toBe(before.page);
  });

  test('refuses a reference to a missing file', () => {
    const from = join(folder, 'source');
    cpSync(PAGE, from, { recursive: true });
    rmSync(join(from, 'icon.svg'));
    expect(() => buildWeb({ from, to: join(folder, 'dist') })).toThrow('icon.svg');
  });

  test('has nothing that a strict content security policy would block', () => {
    const { page } = built('dist');
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?:/);
  });

  test('stays below 28.5 kB', () => {
    const { assets, texts, page } = built('dist');
    const loaded = texts.filter((_, i) => !isOnDemand(assets[i] ?? ''));
    const bytes = [page, ...loaded].reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeLessThan(BYTES_MAX);
  });
});
