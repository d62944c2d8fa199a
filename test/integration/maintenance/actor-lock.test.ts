import { afterEach, expect, test } from '@jest/globals';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const locks: ActorLock[] = [];
const errors: string[] = [];
const newLock = (holdMs?: number) => {
  const lock = new ActorLock(t.databaseUrl, error => errors.push(error.message), holdMs);
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

test('the loss of a session is reported', async () => {
  errors.splice(0);
  await newLock().hold('rescue', async () => {
    await endSessions();
    await eventually(() => expect(errors).toContain('terminating connection due to administrator command'));
  });
});

test('a process that stands still in a run keeps its lock for ten seconds, and not for the whole hold time', async () => {
  const [still, other] = [newLock(), newLock()];
  await still.hold('rescue', async () => {
    expect(await other.hold('rescue', async () => undefined)).toBe(false);
    // Postgres ends the session, in which no statement came meanwhile.
    await eventually(async () => expect(await other.hold('rescue', async () => undefined)).toBe(true), 40_000);
  });
});

test('the end of an older session does not end the newer one', async () => {
  const [first, other] = [newLock(), newLock()];
  await first.hold('rescue', async () => {
    await endSessions();
    // The next question finds the session gone and opens another one, whose lock holds.
    await eventually(async () => {
      await first.hold('prune', async () => {
        expect(await other.hold('prune', async () => undefined)).toBe(false);
        expect(await first.hold('tell-shop', async () => undefined)).toBe(true);
        expect(await other.hold('prune', async () => undefined)).toBe(false);
      });
    });
  });
});
