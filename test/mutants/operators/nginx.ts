import type { Operators } from '../mutant.js';
import { type Change, mutantsOf } from './change.js';
import { type Directive, readDirectives } from './nginx/tree.js';
import type { Token } from './tokens.js';

/** Directives that no answer shows, and those without which nginx does not start. */
const SILENT = new Set(
  `access_log charset_types client_header_buffer_size default_type error_log keepalive keepalive_timeout limit_conn_log_level
  limit_conn_zone limit_req_log_level limit_req_zone lingering_time lingering_timeout listen log_format pid proxy_buffers
  proxy_cache_path proxy_connect_timeout proxy_next_upstream_timeout proxy_next_upstream_tries proxy_pass proxy_send_timeout
  reset_timedout_connection root send_timeout server set tcp_nodelay worker_connections worker_processes worker_rlimit_nofile
  worker_shutdown_timeout zone`.split(/\s+/),
);
const SILENT_KINDS = /_temp_path$|^ssl_/;

/** Directives with another mutant that is harder to notice than their absence. */
const CHANGED_ONLY =
  /^(?:client_\w+_timeout|limit_conn|limit_req|proxy_cache_lock_\w+|proxy_cache_use_stale|proxy_next_upstream|return|rewrite)$/;

/** Blocks whose lines are entries, not directives. */
const OF_ENTRIES = ['map', 'types'];

/** Directives with a list of words, each of which matters. */
const OF_WORDS = ['proxy_next_upstream', 'proxy_cache_use_stale', 'proxy_ignore_headers', 'proxy_cache_valid'];

/** Directives whose numbers bound something that a request can meet. */
const OF_LIMITS =
  /^(?:client_(?:header|body)_timeout|client_max_body_size|large_client_header_buffers|limit_(?:conn|req|req_zone)|proxy_read_timeout|proxy_cache_(?:valid|lock_timeout|lock_age))$/;

/** Makes the mutants of a file of nginx: directives, locations, patterns, limits, words of a list and the keys of caches. */
export const nginxMutants: Operators = (file, text) =>
  mutantsOf(
    file,
    text,
    readDirectives(text).flatMap(directive => [...changesIn(directive, '')]),
  );

function* changesIn(directive: Directive, block: string): Iterable<Change> {
  const { name, inner, args } = directive;
  yield* goneChanges(directive, block);
  if (name === 'location') yield* locationChanges(directive);
  if (block === 'map' && name.startsWith('"~')) yield* patternChanges(tokenOfName(directive));
  if (OF_LIMITS.test(name)) yield* args.flatMap(limitChanges);
  if (OF_WORDS.includes(name)) yield* args.flatMap((arg, n) => wordChanges(args, arg, n));
  if (name === 'proxy_cache_key') yield* args.flatMap(keyChanges);
  if (name === 'return') yield* args.flatMap(statusChanges);
  for (const arg of args) if (/^(?:nodelay|always|max_fails=0)$/.test(arg.text)) yield gone('word gone', arg);
  for (const child of inner ?? []) yield* changesIn(child, name);
}

const gone = (operator: string, { start, end }: { start: number; end: number }): Change => ({
  operator,
  start,
  end,
  replacement: '',
});

function* goneChanges(directive: Directive, block: string): Iterable<Change> {
  const { name, args, inner } = directive;
  const isNothing = name === 'default' && args[0]?.text === '""';
  if (OF_ENTRIES.includes(block)) {
    if (!isNothing) yield gone('entry gone', directive);
  } else if (inner) {
    if (['location', 'if'].includes(name)) yield gone(`${name} gone`, directive);
  } else if (block !== 'split_clients' && !isSilent(directive)) yield gone('directive gone', directive);
}

function isSilent({ name, args }: Directive): boolean {
  // nginx does not start without what these files name.
  const isNeeded = name === 'include' && /^(?:local\/|machine|upstream|problems\/texts)/.test(args[0]?.text ?? '');
  return isNeeded || SILENT.has(name) || SILENT_KINDS.test(name) || CHANGED_ONLY.test(name);
}

function* locationChanges({ args }: Directive): Iterable<Change> {
  const [kind, path] = args;
  if (kind?.text === '=' && path) yield { ...gone('location wider', { ...kind, end: path.start }) };
  if (kind?.text === '~' && path) yield* patternChanges(path);
}

function tokenOfName({ name, start }: Directive): Token {
  return { kind: 'text', text: name, start, end: start + name.length };
}

/** Takes an end of a pattern away, or a bound of its length. */
function* patternChanges({ text, start }: Token): Iterable<Change> {
  const at = (index: number, piece: string, replacement: string) => ({
    operator: 'pattern wider',
    start: start + index,
    end: start + index + piece.length,
    replacement,
  });
  for (const { index, 0: piece } of text.matchAll(/(?<=^"?(?:~\*?)?(?:\(\?s\))?)\^|\$(?="?$)/g))
    yield at(index, piece, '');
  for (const { index, 0: piece } of text.matchAll(/\{\d+(?:,\d+)?\}/g)) yield at(index, piece, '+');
}

/** Makes each number of a limit ten times as large. */
function limitChanges({ text, start, kind }: Token): Change[] {
  const found = /^(?:rate=|burst=)?(\d+)(?=\D{0,3}$|r\/s$)/.exec(text);
  const number = found?.[1];
  if (!found || !number || kind !== 'word' || /^(?:0|200|404|503)$/.test(text)) return [];
  const at = start + found[0].length;
  return [{ operator: 'limit ten times', start: at - number.length, end: at, replacement: `${number}0` }];
}

/** Takes one word out of a list. A time at the end is no word of the list. */
function wordChanges(args: Token[], arg: Token, n: number): Change[] {
  const words = args.filter(({ text }) => !/^\d+\w$/.test(text));
  return words.length > 1 && words.includes(arg)
    ? [gone('word gone', { ...arg, start: args[n]?.start ?? arg.start })]
    : [];
}

/** Takes a part out of the key of a cache. A key of one part becomes the same for all. */
function keyChanges({ text, start, end }: Token): Change[] {
  const parts = [...text.matchAll(/\$\w+/g)].map(({ 0: part }) => part);
  if (parts.length === 1) return [{ operator: 'key shorter', start, end, replacement: 'same' }];
  return parts.map(part => {
    const at = start + text.indexOf(part);
    return gone('key shorter', { start: at, end: at + part.length });
  });
}

function statusChanges({ text, start, end }: Token): Change[] {
  if (!/^\d{3}$/.test(text)) return [];
  return [{ operator: 'status off by one', start, end, replacement: String(Number(text) + 1) }];
}
