import { describe, expect, test } from '@jest/globals';
import { readSqlPieces } from '../../mutants/operators/sql/pieces.js';
import { readSql } from '../../mutants/operators/sql/tree.js';
import { sqlMutants } from '../../mutants/operators/sql.js';
import { mutated, resultsOf, sourcesOf } from './results.js';

// A placeholder, which the linter would take for a forgotten one in a text.
const N = `$${'{n}'}`;
const HOLE = `$${"{x ? Prisma.sql`b` : '`'}"}`;

/** Returns what the operators make of the content of one template. */
function ofTemplate(sql: string, operator?: string): string[] {
  const results = resultsOf(sqlMutants, { path: 'a.ts', text: `Prisma.sql\`${sql}\`` }, operator);
  return results.map(result => result.slice('Prisma.sql`'.length, -1).trim());
}

const ofMigration = (text: string, operator?: string) => resultsOf(sqlMutants, { path: 'a.sql', text }, operator);

describe('a condition goes', () => {
  test('with the AND that joins it, and a whole one becomes false', () => {
    expect(ofTemplate('SELECT 1 FROM t WHERE a IN (b) AND c ORDER BY d', 'condition gone')).toEqual([
      'SELECT 1 FROM t WHERE c ORDER BY d',
      'SELECT 1 FROM t WHERE a IN (b) ORDER BY d',
      'SELECT 1 FROM t WHERE false ORDER BY d',
    ]);
  });

  test('alone it becomes true', () => {
    expect(ofTemplate(`UPDATE t SET a = 1 WHERE id = ${N}`, 'condition gone')).toEqual([
      'UPDATE t SET a = 1 WHERE true',
      'UPDATE t SET a = 1 WHERE false',
    ]);
  });

  test('of an OR, and in parentheses', () => {
    expect(ofTemplate('DELETE FROM t WHERE NOT (a OR b AND c)', 'condition gone')).toEqual([
      'DELETE FROM t WHERE NOT (b AND c)',
      'DELETE FROM t WHERE NOT (a)',
      'DELETE FROM t WHERE NOT (a OR c)',
      'DELETE FROM t WHERE NOT (a OR b)',
      'DELETE FROM t WHERE true',
      'DELETE FROM t WHERE false',
    ]);
  });

  test('BETWEEN keeps its AND, and a CASE its conditions', () => {
    expect(ofTemplate('SELECT 1 WHERE a BETWEEN 1 AND 2 AND CASE WHEN b THEN c END', 'condition gone')).toEqual([
      'SELECT 1 WHERE CASE WHEN b THEN c END',
      'SELECT 1 WHERE a BETWEEN 1 AND 2',
      'SELECT 1 WHERE false',
      'SELECT 1 WHERE a BETWEEN 1 AND 2 AND CASE WHEN true THEN c END',
      'SELECT 1 WHERE a BETWEEN 1 AND 2 AND CASE WHEN false THEN c END',
    ]);
  });

  test.each([
    ['SELECT 1 FROM a JOIN b ON a.id = b.id', ['SELECT 1 FROM a JOIN b ON true']],
    [`p.id = ${N} ORDER BY p.id`, ['true ORDER BY p.id']],
    [`AND o.id = ANY(${N})`, ['']],
    ['o.id, o.unit', []],
    ['SELECT CASE a WHEN b THEN c END', []],
    ['INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2', []],
  ])('%s', (sql, results) => {
    expect(ofTemplate(sql, 'condition gone')).toEqual(results);
  });

  test('of a CHECK, a trigger and a unique index; an ordinary index changes no result', () => {
    expect(
      ofMigration('CREATE UNIQUE INDEX i ON t (a) WHERE b; CREATE INDEX j ON t (a) WHERE c;', 'condition gone'),
    ).toEqual(['CREATE UNIQUE INDEX i ON t (a) WHERE true; CREATE INDEX j ON t (a) WHERE c;']);
    expect(ofMigration('CREATE TABLE t (a INT CHECK (a >= 1))')).toEqual([
      'CREATE TABLE t (a INT CHECK (true))',
      'CREATE TABLE t (a INT CHECK (a > 1))',
    ]);
    expect(ofMigration('CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW WHEN (a AND b) EXECUTE FUNCTION f();')).toEqual(
      [
        'CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW WHEN (b) EXECUTE FUNCTION f();',
        'CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW WHEN (a) EXECUTE FUNCTION f();',
        '',
      ],
    );
  });
});

test('a comparison is turned where no missing condition tells as much, and a clock turns it round', () => {
  const operator = 'comparison turned';
  expect(ofTemplate('SELECT a = b WHERE c = d AND e <= 1 AND f < clock_timestamp()', operator)).toEqual([
    'SELECT a <> b WHERE c = d AND e <= 1 AND f < clock_timestamp()',
    'SELECT a = b WHERE c = d AND e < 1 AND f < clock_timestamp()',
  ]);
  expect(ofTemplate('SELECT a > clock_timestamp()', operator)).toEqual(['SELECT a < clock_timestamp()']);
  expect(ofTemplate('SELECT a = ANY(b), c IS NULL, EXISTS (SELECT)', operator)).toEqual([
    'SELECT a <> ALL(b), c IS NULL, EXISTS (SELECT)',
    'SELECT a = ANY(b), c IS NOT NULL, EXISTS (SELECT)',
    'SELECT a = ANY(b), c IS NULL, NOT EXISTS (SELECT)',
  ]);
  expect(ofTemplate('UPDATE t SET a = 1', operator)).toEqual([]);
  expect(ofMigration('ALTER TABLE t SET (fillfactor = 50)', operator)).toEqual([]);
});

test.each([
  ['SELECT 1 FOR UPDATE OF o SKIP LOCKED', 'lock gone', ['SELECT 1']],
  ['SELECT 1 FOR UPDATE OF o SKIP LOCKED', 'lock waits', ['SELECT 1 FOR UPDATE OF o']],
  ['SELECT pg_advisory_xact_lock(hashtext($1))', 'lock gone', ['SELECT ((hashtext($1))::bigint IS NOT NULL)']],
  [
    'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING RETURNING a',
    'conflict clause gone',
    ['INSERT INTO t VALUES (1) RETURNING a'],
  ],
  [`SELECT 1 LIMIT ${N}`, 'limit off by one', [`SELECT 1 LIMIT ${N} + 1`, `SELECT 1 LIMIT ${N} - 1`]],
  ['SELECT 1 LIMIT 1', 'limit off by one', []],
  ['SELECT 1 ORDER BY a, b DESC', 'order turned', ['SELECT 1 ORDER BY a DESC, b DESC', 'SELECT 1 ORDER BY a, b']],
  ['SELECT 1 WHERE a IN (1, 2)', 'constant gone', ['SELECT 1 WHERE a IN (2)', 'SELECT 1 WHERE a IN (1)']],
  ['SELECT 1 WHERE a IN (b, c)', 'constant gone', []],
  [
    'UPDATE t SET a = 1, b = f(2, 3), version = version + 1',
    'write gone',
    ['UPDATE t SET b = f(2, 3), version = version + 1', 'UPDATE t SET a = 1, version = version + 1'],
  ],
  ['SELECT a + b, -c', 'sign turned', ['SELECT a - b, -c', 'SELECT a + b, c']],
  ['SELECT extract(epoch FROM now() - a) - b', 'sign turned', ['SELECT extract(epoch FROM now() - a) + b']],
  ['SELECT least(a, 1)', 'limit turned', ['SELECT greatest(a, 1)']],
  ['SELECT coalesce(a, b, 0)', 'default gone', ['SELECT a', 'SELECT b']],
  ['SELECT 1 FROM a LEFT JOIN b USING (c)', 'outer join gone', ['SELECT 1 FROM a JOIN b USING (c)']],
])('%s: %s', (sql, operator, results) => {
  expect(ofTemplate(sql, operator)).toEqual(results);
});

test('SQL is found in templates, in the placeholders of templates, and in texts', () => {
  const text = `f(Prisma.sql\`a ${HOLE} c\`); q('SELECT 1'); g('no SQL'); db.$queryRaw<{ id: string }[]>\`d\`;`;
  const pieces = readSqlPieces('a.ts', text).map(({ start, end }) => text.slice(start, end));
  expect(pieces).toEqual([`a ${HOLE} c`, 'b', 'SELECT 1', 'd']);
});

test('a statement keeps its parameters', () => {
  expect(ofTemplate('UPDATE t SET a = 1 WHERE b = $1 AND c')).toEqual(['UPDATE t SET a = 1 WHERE b = $1']);
});

describe('of the project', () => {
  const sources = [...sourcesOf('core/postgres', /\.ts$/), ...sourcesOf('prisma/migrations', /\.sql$/)];
  const made = sources.flatMap(({ path, text }) => sqlMutants(path, text).map(mutant => ({ mutant, text })));

  test('every statement has mutants, and no two of them are the same', () => {
    expect(made.length).toBeGreaterThan(900);
    const results = made.map(({ mutant, text }) => `${mutant.file}\n${mutated(text, mutant)}`);
    expect(new Set(results).size).toBe(results.length);
  });

  test('parentheses and CASE stay closed', () => {
    const isClosed = ({ mutant, text }: (typeof made)[number]) => {
      const result = mutated(text, mutant);
      return readSqlPieces(mutant.file, result).every(piece => {
        const { tokens, partners } = readSql(result, piece);
        return tokens.every((token, at) => !/^(?:[()[\]]|CASE)$/i.test(token.text) || partners.has(at));
      });
    };
    expect(made.filter(one => !isClosed(one)).map(({ mutant }) => mutant)).toEqual([]);
  });
});
