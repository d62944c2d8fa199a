import { expect, test } from '@jest/globals';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { eventually } from '../../support/eventually.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();
const newLock = (holdMs?: number) => new ActorLock(t.db, holdMs);
const idle = async () => undefined;

/** A round that lasts until `end` is called. */
function createRound() {
  let [begin, end] = [() => {}, () => {}];
  const begun = new Promise<void>(resolve => {
    begin = resolve;
  });
  const ended = new Promise<void>(resolve => {
    end = resolve;
  });
  const run = () => {
    begin();
    return ended;
  };
  return { run, begun, end: () => end() };
}

test('one process at a time runs an actor, and different actors run at the same time', async () => {
  const [first, second] = [newLock(), newLock()];
  await first.hold('rescue', async () => {
    expect(await second.hold('rescue', idle)).toBe(false);
    expect(await second.hold('prune', idle)).toBe(true);
  });
  expect(await second.hold('rescue', idle)).toBe(true);
});

test('of many processes that ask at once, one gets the actor', async () => {
  const { run, end } = createRound();
  const held = Array.from({ length: 12 }, () => newLock().hold('reconcile', run));
  const refused = await eventually(async () => {
    const known = await Promise.all(held.map(one => Promise.race([one, Promise.resolve('running')])));
    expect(known.filter(one => one === false)).toHaveLength(11);
    return known.filter(one => one === 'running');
  });
  end();
  expect(refused).toHaveLength(1);
  expect((await Promise.all(held)).filter(Boolean)).toHaveLength(1);
});

test('the error of an actor is thrown, and the actor is free', async () => {
  const run = async () => {
    throw new Error('the actor failed');
  };
  await expect(newLock().hold('rescue', run)).rejects.toThrow('the actor failed');
  expect(await newLock().hold('rescue', idle)).toBe(true);
});

test('a holder that is gone keeps an actor for the length of a lease', async () => {
  await t.db
    .$executeRaw`INSERT INTO actor_leases VALUES ('prune', gen_random_uuid(), clock_timestamp() + interval '300 ms')
    ON CONFLICT (actor) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until`;
  expect(await newLock().hold('prune', idle)).toBe(false);
  await eventually(async () => expect(await newLock().hold('prune', idle)).toBe(true));
});

test('a round that is longer than a lease keeps the actor', async () => {
  const round = createRound();
  const held = newLock().hold('rescue', round.run);
  await round.begun;
  const until = async () => (await t.db.actorLease.findUnique({ where: { actor: 'rescue' } }))?.until;
  const first = await until();
  await eventually(async () => expect(await until()).not.toEqual(first));
  expect(await newLock().hold('rescue', idle)).toBe(false);
  round.end();
  expect(await held).toBe(true);
});

test('the end of an overdue round leaves the lease of the next holder alone', async () => {
  const [overdue, next] = [createRound(), createRound()];
  const first = newLock(50).hold('rescue', overdue.run);
  await overdue.begun;
  const second = eventually(async () => {
    const held = newLock().hold('rescue', next.run);
    expect(await Promise.race([held, next.begun.then(() => 'running')])).toBe('running');
    return held;
  });
  await next.begun;
  overdue.end();
  expect(await first).toBe(true);
  expect(await newLock().hold('rescue', idle)).toBe(false);
  next.end();
  expect(await second).toBe(true);
});

test('a round that hangs keeps other processes away only for the hold time', async () => {
  const hanging = createRound();
  const held = newLock(50).hold('rescue', hanging.run);
  await hanging.begun;
  await eventually(async () => expect(await newLock().hold('rescue', idle)).toBe(true));
  hanging.end();
  expect(await held).toBe(true);
});
