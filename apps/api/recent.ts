/** Values that were loaded a moment ago. */
export interface Recent<T> {
  /** The value, loaded now or a moment ago; everybody who asks meanwhile waits for the same load. */
  get(key: string): Promise<T>;
  forget(): void;
}

/**
 * @param ageMaxMs how old a value may be, in ms
 * @param sizeMax how many values are kept; then the oldest go, so that asking for made-up keys costs no memory
 * @param load gets a value; it must have a deadline. A failure is not kept
 * @returns the values
 */
export function keepRecent<T>(ageMaxMs: number, sizeMax: number, load: (key: string) => Promise<T>): Recent<T> {
  const entries = new Map<string, { value: Promise<T>; atMs: number }>();
  return {
    get(key) {
      const known = entries.get(key);
      if (known && performance.now() - known.atMs < ageMaxMs) return known.value;
      entries.delete(key);
      const [oldest] = entries.keys();
      if (oldest !== undefined && entries.size >= sizeMax) entries.delete(oldest);
      const entry = { value: load(key), atMs: performance.now() };
      entries.set(key, entry);
      entry.value.catch(() => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      return entry.value;
    },
    forget: () => entries.clear(),
  };
}
