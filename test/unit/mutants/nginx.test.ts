import { describe, expect, test } from '@jest/globals';
import { readDirectives } from '../../mutants/operators/nginx/tree.js';
import { nginxMutants } from '../../mutants/operators/nginx.js';
import { mutated, resultsOf, sourcesOf } from './results.js';

const of = (text: string, operator?: string) => resultsOf(nginxMutants, { path: 'a.conf', text }, operator);

test.each([
  ['gzip on; # comment; here', 'directive gone', ['# comment; here']],
  ['worker_processes auto; include local/*.conf;', 'directive gone', []],
  ['location = /a { internal; }', 'location wider', ['location /a { internal; }']],
  ['location = /a { internal; }', 'location gone', ['']],
  [
    'location ~ "^/a/[a-z]{1,64}$" {}',
    'pattern wider',
    ['location ~ "/a/[a-z]{1,64}$" {}', 'location ~ "^/a/[a-z]{1,64}" {}', 'location ~ "^/a/[a-z]+$" {}'],
  ],
  ['map $a $b { default ""; "~^c" d; }', 'entry gone', ['map $a $b { default ""; }']],
  ['map $a $b { default ""; "~^c" d; }', 'pattern wider', ['map $a $b { default ""; "~c" d; }']],
  ['limit_req zone=a burst=100 nodelay;', 'limit ten times', ['limit_req zone=a burst=1000 nodelay;']],
  ['limit_req zone=a burst=100 nodelay;', 'word gone', ['limit_req zone=a burst=100 ;']],
  ['limit_req_zone $a zone=b:10m rate=20r/s;', undefined, ['limit_req_zone $a zone=b:10m rate=200r/s;']],
  ['proxy_read_timeout 900ms;', 'limit ten times', ['proxy_read_timeout 9000ms;']],
  ['proxy_next_upstream error timeout;', undefined, ['proxy_next_upstream timeout;', 'proxy_next_upstream error ;']],
  ['proxy_cache_key "$uri $second";', 'key shorter', ['proxy_cache_key " $second";', 'proxy_cache_key "$uri ";']],
  ['proxy_cache_key $uri;', 'key shorter', ['proxy_cache_key same;']],
  ['return 404 "a";', undefined, ['return 405 "a";']],
])('%s: %s', (conf, operator, results) => {
  expect(of(conf, operator)).toEqual(results);
});

test.each(['gzip on', 'location / { gzip on;', 'gzip on; }'])('%s is refused', conf => {
  expect(() => readDirectives(conf)).toThrow();
});

describe('of the project', () => {
  const files = sourcesOf('nginx', /\.conf$/);

  test('every file that has answers to show has mutants, and each can be read', () => {
    const without = files.filter(({ path, text }) => nginxMutants(path, text).length === 0);
    expect(without.map(({ path }) => path)).toEqual(['nginx/examples/tls.conf', 'nginx/machine.conf']);
    for (const { path, text } of files) {
      for (const mutant of nginxMutants(path, text)) expect(() => readDirectives(mutated(text, mutant))).not.toThrow();
    }
  });
});
