import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { isDatabaseAway, isDataError } from '#core/postgres/failure.js';
import { createMigratedDatabase } from '../../support/stores/shared-postgres.js';

let url: string;
let db: Database;

beforeAll(async () => {
  url = await createMigratedDatabase();
  db = connectDatabase(url, { connections: 2 });
  await db.$executeRaw`CREATE FUNCTION fail_with(state TEXT) RETURNS INT LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = state; END $$`;
});
afterAll(() => db.$disconnect());

const settingOf = async (of: Database, name: string) => {
  const [row] = await of.$queryRaw<{ value: string }[]>`SELECT current_setting(${name}) AS value`;
  return row?.value;
};

test.each([
  ['statement_timeout', '5s'],
  ['lock_timeout', '2s'],
  ['idle_in_transaction_session_timeout', '10s'],
  ['jit', 'off'],
  ['synchronous_commit', 'on'],
  ['TimeZone', 'UTC'],
])('a connection has %s = %s', async (name, value) => {
  expect(await settingOf(db, name)).toBe(value);
});

test('a statement that waits for a lock fails before one that is only slow', async () => {
  await db.$transaction(async tx => {
    await tx.$executeRaw`LOCK TABLE repairs`;
    await expect(db.$queryRaw`SELECT FROM repairs`).rejects.toThrow('lock timeout');
  });
});

/** Returns the error of a statement that Postgres ends with a SQLSTATE. */
async function errorWith(state: string): Promise<unknown> {
  return db.$executeRaw`SELECT fail_with(${state})`.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('an error of Postgres', () => {
  test.each([
    ['08006', 'the connection is lost'],
    ['53100', 'the disk is full'],
    ['53300', 'there are too many connections'],
    ['57014', 'the statement took too long'],
    ['57P01', 'an operator ends the session'],
    ['57P03', 'it starts'],
    ['58030', 'a file cannot be read'],
    ['25006', 'it is read-only'],
  ])('%s, as %s, passes', async state => {
    const error = await errorWith(state);
    expect([isDatabaseAway(error), isDataError(error)]).toEqual([true, false]);
  });

  test.each([
    ['22003', 'a number is too large'],
    ['22P02', 'a text has another form'],
    ['23502', 'a value is missing'],
    ['23503', 'the row that it names is missing'],
    ['23505', 'a row exists'],
    ['23514', 'a CHECK refuses the row'],
  ])('%s, as %s, is about the values and comes again', async state => {
    const error = await errorWith(state);
    expect([isDatabaseAway(error), isDataError(error)]).toEqual([false, true]);
  });

  test.each([
    ['40001', 'others wrote the row'],
    ['40P01', 'of a deadlock'],
    ['55P03', 'a lock was held for too long'],
    ['42P01', 'a table is missing'],
    ['42501', 'a right is missing'],
  ])('%s, as %s, is neither', async state => {
    const error = await errorWith(state);
    expect([isDatabaseAway(error), isDataError(error)]).toEqual([false, false]);
  });

  test('that cannot be reached passes', async () => {
    const nowhere = connectDatabase('postgres://nobody@127.0.0.1:1/none', { connections: 1 });
    const error = await nowhere.$queryRaw`SELECT 1`.catch((refused: unknown) => refused);
    await nowhere.$disconnect();
    expect([isDatabaseAway(error), isDataError(error)]).toEqual([true, false]);
  });

  test('is none of an Error of the program', () => {
    const error = new Error('terminated by a bug');
    expect([isDatabaseAway(error), isDataError(error)]).toEqual([false, false]);
  });
});
