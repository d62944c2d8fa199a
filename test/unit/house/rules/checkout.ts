import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The folders whose code is held to the rules. */
export const PRODUCT = ['core', 'apps', 'stack'];
export const CODE = [...PRODUCT, 'bench', 'test'];

const OTHER_FOLDERS = ['bin', 'deploy', 'docs', 'examples', 'nginx', 'prisma'];
const GENERATED = /\/(generated|node_modules)\//;
const TEXT = /\.(ts|js|mjs|cjs|lua|sql|css|html|md|conf|prisma|yml|json|example)$|(^|\/)Dockerfile$/;

/** One file of a checkout. */
export interface Source {
  /** The path below the checkout. */
  path: string;
  /** The content; empty for a picture and the like. */
  text: string;
}

/** Every file of a checkout that somebody wrote. */
export interface Checkout {
  sources: Source[];
}

/**
 * Reads a checkout from its folder. No git is needed, so a copy of the sources works as well.
 *
 * @param root the folder that holds package.json
 */
export function readCheckout(root: string): Checkout {
  const folders = [...CODE, ...OTHER_FOLDERS].filter(folder => existsSync(join(root, folder)));
  const top = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isFile());
  const paths = [...folders.flatMap(folder => listFiles(root, folder)), ...top.map(entry => entry.name)];
  const written = paths.filter(path => !GENERATED.test(path));
  return { sources: written.sort().map(path => readSource(root, path)) };
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)));
}

const readSource = (root: string, path: string): Source => ({
  path,
  text: TEXT.test(path) && !/^bench\/results\/|^package-lock/.test(path) ? readFileSync(join(root, path), 'utf8') : '',
});

/** Returns the sources below some folders. */
export function below(checkout: Checkout, folders: string[]): Source[] {
  return checkout.sources.filter(({ path }) => folders.some(folder => path.startsWith(`${folder}/`)));
}

/** Returns the sources that swc can parse: TypeScript and JavaScript. */
export function scriptsOf(sources: Source[]): Source[] {
  return sources.filter(({ path }) => /\.(ts|js|mjs|cjs)$/.test(path));
}

/** Counts lines as an editor shows them: the line break at the end opens no line. */
export function countLines(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}
