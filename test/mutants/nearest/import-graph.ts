import { posix } from 'node:path';

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** Returns the file that an import names; undefined for a package. */
function resolved(path: string, name: string): string | undefined {
  if (name.startsWith('#')) return name.slice(1);
  if (name.startsWith('.')) return posix.join(posix.dirname(path), name);
  return undefined;
}

/** The files that each file imports, from their texts. Loading it runs nothing. */
export class ImportGraph {
  readonly #imports = new Map<string, string[]>();
  readonly #distances = new Map<string, Map<string, number>>();

  constructor(texts: ReadonlyMap<string, string>) {
    for (const [path, text] of texts) {
      const names = [...text.matchAll(IMPORT)].flatMap(([, name = '']) => resolved(path, name) ?? []);
      const files = names.map(name => [name, name.replace(/\.js$/, '.ts')].find(one => texts.has(one)));
      this.#imports.set(
        path,
        files.flatMap(file => file ?? []),
      );
    }
  }

  /** Returns the files that are reached from a file, with the number of imports on the shortest way. */
  distancesFrom(path: string): ReadonlyMap<string, number> {
    const known = this.#distances.get(path);
    if (known) return known;
    const distances = new Map([[path, 0]]);
    this.#distances.set(path, distances);
    for (const [file, distance] of distances) {
      for (const next of this.#imports.get(file) ?? []) if (!distances.has(next)) distances.set(next, distance + 1);
    }
    return distances;
  }
}
