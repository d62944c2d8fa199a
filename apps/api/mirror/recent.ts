/** Values that were loaded a moment ago. */
export interface Recent<T> {
  /** The value, loaded now or a moment ago; everybody who asks meanwhile waits for the same load. */
  get(key: string): Promise<T>;
  /** The value, if it was loaded a moment ago: then nobody needs to wait. */
  known(key: string): T | undefined;
  forget(): void;
}

interface Entry<T> {
  value: Promise<T>;
  atMs: number;
  loaded?: T;
}

/**
 * @param ageMaxMs how old a value may be, in ms
 * @param sizeMax how many values are kept; then the oldest go, so that asking for made-up keys costs no memory
 * @param load gets a value; it must have a deadline. A failure is not kept
 * @returns the values
 */
export function keepRecent<T>(ageMaxMs: number, sizeMax: number, load: (key: string) => Promise<T>): Recent<T> {
  const entries = new Map<string, Entry<T>>();
  const find = (key: string) => {
    const entry = entries.get(key);
    return entry && performance.now() - entry.atMs < ageMaxMs ? entry : undefined;
  };
  return {
    get(key) {
      const known = find(key);
      if (known) return known.value;
      entries.delete(key);
      const [oldest] = entries.keys();
      if (oldest !== undefined && entries.size >= sizeMax) entries.delete(oldest);
      const entry: Entry<T> = { value: load(key), atMs: performance.now() };
      entries.set(key, entry);
      entry.value.then(
        value => {
          entry.loaded = value;
        },
        () => {
          if (entries.get(key) === entry) entries.delete(key);
        },
      );
      return entry.value;
    },
    known: key => find(key)?.loaded,
    forget: () => entries.clear(),
  };
}
