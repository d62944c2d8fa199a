import { afterEach, expect, test } from '@jest/globals';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const locks: ActorLock[] = [];
const newLock = (holdMs?: number) => {
  const lock = new ActorLock(t.databaseUrl, () => undefined, holdMs);
  locks.push(lock);
  return lock;
};
afterEach(() => Promise.all(locks.splice(0).map(lock => lock.close())));

/** Ends every session with an advisory lock, as a restart of Postgres would. */
const endSessions = () =>
  t.db.$queryRaw`SELECT pg_terminate_backend(pid)::text FROM pg_locks JOIN pg_database ON database = pg_database.oid
    WHERE locktype = 'advisory' AND datname = current_database()`;

test('one process at a time runs an actor, and different actors run at the same time', async () => {
  const [first, second] = [newLock(), newLock()];
  await first.hold('rescue', async () => {
    expect(await second.hold('rescue', async () => undefined)).toBe(false);
    expect(await second.hold('prune', async () => undefined)).toBe(true);
  });
  expect(await second.hold('rescue', async () => undefined)).toBe(true);
});

test('the error of an actor is thrown, also after Postgres has ended the session', async () => {
  const run = async () => {
    await endSessions();
    throw new Error('the actor failed');
  };
  await expect(newLock().hold('rescue', run)).rejects.toThrow('the actor failed');
});

test('after the loss of a session any process can take its lock', async () => {
  const [first, second] = [newLock(), newLock()];
  await first.hold('rescue', async () => {
    await endSessions();
    await eventually(async () => expect(await second.hold('rescue', async () => undefined)).toBe(true));
  });
  await eventually(async () => expect(await first.hold('rescue', async () => undefined)).toBe(true));
});

test('a run that hangs keeps other processes away only for the hold time', async () => {
  const [hanging, other] = [newLock(50), newLock()];
  let [begin, end] = [() => {}, () => {}];
  const begun = new Promise<void>(resolve => {
    begin = resolve;
  });
  const hung = new Promise<void>(resolve => {
    end = resolve;
  });
  const held = hanging.hold('rescue', () => {
    begin();
    return hung;
  });
  await begun;
  await eventually(async () => expect(await other.hold('rescue', async () => undefined)).toBe(true));
  end();
  expect(await held).toBe(true);
});
