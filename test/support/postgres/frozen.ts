import type { Database } from '#core/postgres/database.js';

/** A database client that stands still at one of its calls, as a process does that was stopped there. */
export interface FrozenDatabase {
  db: Database;
  /** Resolves when the call is reached. */
  reached: Promise<void>;
  /** Lets the call happen. */
  resume(): void;
}

/** Passes every call on to Postgres, and holds the `nth` one back until `resume`. */
export function freezeAt(db: Database, nth: number): FrozenDatabase {
  let [reach, resume] = [() => {}, () => {}];
  const reached = new Promise<void>(resolve => {
    reach = resolve;
  });
  const resumed = new Promise<void>(resolve => {
    resume = resolve;
  });
  let calls = 0;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value === 'object' && value !== null) return wrap(value);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(value, of, args) as unknown;
          calls += 1;
          if (calls !== nth) return call();
          reach();
          return resumed.then(call);
        };
      },
    });
  return { db: wrap(db), reached, resume: () => resume() };
}
