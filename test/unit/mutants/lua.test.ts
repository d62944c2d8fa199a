import { describe, expect, test } from '@jest/globals';
import { readLuaTree } from '../../mutants/operators/lua/tree.js';
import { luaMutants } from '../../mutants/operators/lua.js';
import { mutated, resultsOf, sourcesOf } from './results.js';

const of = (text: string, operator?: string) => resultsOf(luaMutants, { path: 'a.lua', text }, operator);

test.each([
  ['if a == 1 then b() end', 'condition gone', ['if true then b() end', 'if false then b() end']],
  ['return a and b or c', 'condition gone', ['return c', 'return a and b', 'return b or c', 'return a or c']],
  ['return not a or b', 'condition turned', ['return a or b']],
  ['local a = b < 2', 'comparison turned', ['local a = b <= 2']],
  ['local a = now < b', 'comparison turned', ['local a = now > b']],
  ['local a = b ~= c', 'comparison turned', ['local a = b == c']],
  ['if a ~= b then c() end', 'comparison turned', []],
  ['local a = b + 5 - -c', 'sign turned', ['local a = b + 5 + -c', 'local a = b - 5 - -c', 'local a = b + 5 - c']],
  [
    'local a, b, c = 0, 1, 5',
    'number off',
    ['local a, b, c = 1, 1, 5', 'local a, b, c = 0, 0, 5', 'local a, b, c = 0, 1, 6'],
  ],
  ['local a = { b = 2 }', 'number off', ['local a = { b = 1 }', 'local a = { b = 3 }']],
  ['local a = 60000', 'number off', ['local a = 600000']],
  ['local a = b * 1000', 'number off', ['local a = b * 10000']],
  ['return KEYS[1], a[i + 1]', 'number off', []],
  ["redis.call('HSET', a, b, c)", 'write gone', ['']],
  ["local a = redis.call('LPOP', k)", 'write gone', ["local a = redis.call('LINDEX', k, 0)"]],
  ["return redis.call('ZREM', k, m)", 'write gone', ['return 1']],
  ["redis.call('ZCARD', k)", 'type check gone', ['']],
  ["tell_claim(a, b) publish(k, '-', '-')", 'publish gone', ["publish(k, '-', '-')", 'tell_claim(a, b)']],
  ['if a then publish(k) end', 'publish gone', []],
  ["redis.call('SET', k, v, 'NX')", 'condition gone', ["redis.call('SET', k, v)"]],
  ['local a = math.min(b, c)', 'limit turned', ['local a = math.max(b, c)']],
  [
    "redis.call('DEL', k)\nredis.call('HSET', k, f, v)",
    'writes swapped',
    ["redis.call('HSET', k, f, v)\nredis.call('DEL', k)"],
  ],
  ["redis.call('DEL', a)\nredis.call('HSET', b, f, v)", 'writes swapped', []],
  ['#!lua flags=allow-oom\nreturn a', 'flags changed', ['#!lua\nreturn a']],
  ['#!lua\nreturn a', 'flags changed', ['#!lua flags=allow-oom\nreturn a']],
])('%s: %s', (script, operator, results) => {
  expect(of(script, operator)).toEqual(results);
});

test('comments and texts stay as they are', () => {
  expect(of("-- if a == 1 then b() end\nreturn 'a < 1 and b' -- 5")).toEqual([]);
});

test.each(['if a then', 'local a = = b', 'return a end'])('%s is refused', script => {
  expect(() => readLuaTree(script)).toThrow();
});

describe('of the project', () => {
  const scripts = sourcesOf('core/redis/lua', /\.lua$/);

  test('every script has mutants, and each can be read as a script', () => {
    for (const { path, text } of scripts) {
      const mutants = luaMutants(path, text);
      expect(mutants.length).toBeGreaterThan(4);
      for (const mutant of mutants) expect(readLuaTree(mutated(text, mutant)).kind).toBe('block');
    }
  });
});
