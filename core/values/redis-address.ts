import { z } from 'zod';
import { isPlain } from './text.js';

/** A host and a port. */
export interface HostAndPort {
  host: string;
  port: number;
}

/** Where a Redis is: at a host, behind a unix socket, or where Sentinels say. */
export type Whereabouts =
  | ({ kind: 'host' } & HostAndPort)
  | { kind: 'socket'; path: string }
  | { kind: 'sentinels'; name: string; sentinels: readonly HostAndPort[] };

/** The parts of REDIS_URL. */
export interface RedisAddress {
  at: Whereabouts;
  /** Whether the connections are encrypted, those to Sentinels included. */
  tls: boolean;
  username?: string;
  password?: string;
  /** The number of the database. */
  db: number;
}

/** A parsed address, or what its text has to look like. No part of the text is in the reason: it may be a password. */
export type ParsedRedisAddress = { kind: 'address'; address: RedisAddress } | { kind: 'refused'; why: string };

const HOST_FORM = 'redis://127.0.0.1:6379/0';
const SOCKET_FORM = 'unix:///run/redis/redis.sock?db=0';
const SENTINEL_FORM = 'redis+sentinel://user:password@host1:26379,host2:26379,host3:26379/name/0';

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const PORT_MAX = 65_535;

/** The longest address, in characters: longer ones are a mistake. */
const LENGTH_MAX = 8_192;

/** User, password, hosts, name of the primary, and number of the database. A URL has no list of hosts. */
const SENTINEL = /^rediss?\+sentinel:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]+)\/([^/?#]+)(?:\/(\d{0,4}))?$/i;

/** A host with a port, which may be left out. */
const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i;

const refused = (why: string): ParsedRedisAddress => ({ kind: 'refused', why });

/**
 * Parses the address of Redis: a host (`redis://`, `rediss://`), a unix socket (`unix://`) or Sentinels
 * (`redis+sentinel://`, `rediss+sentinel://`).
 */
export function parseRedisAddress(text: string): ParsedRedisAddress {
  const scheme = /^([a-z+]+):/i.exec(text)?.[1]?.toLowerCase();
  if (text.length > LENGTH_MAX || !isPlain(text) || /\s/.test(text)) return refused(`must be a URL like ${HOST_FORM}`);
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseHost(text, scheme === 'rediss');
    case 'unix':
      return parseSocket(text);
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return parseSentinels(text, scheme === 'rediss+sentinel');
    default:
      return refused(`must be a URL like ${HOST_FORM}, ${SOCKET_FORM} or ${SENTINEL_FORM}`);
  }
}

function parseHost(text: string, tls: boolean): ParsedRedisAddress {
  if (!URL.canParse(text)) return refused(`must be a URL like ${HOST_FORM}, with user and password URL-encoded`);
  const { hostname, port, pathname, search, hash, username, password } = new URL(text);
  if (!hostname) return refused(`must name a host, like ${HOST_FORM}; a unix socket has the form ${SOCKET_FORM}`);
  if (search || hash || !/^\/?\d{0,4}$/.test(pathname)) {
    return refused(`must have nothing but the number of a database after the host, like ${HOST_FORM}`);
  }
  const at = { kind: 'host', host: bare(hostname), port: Number(port || REDIS_PORT) } as const;
  return addressOf({ at, tls, db: Number(pathname.slice(1)) }, [username, password]);
}

function parseSocket(text: string): ParsedRedisAddress {
  const form = `must name the file of a socket, like ${SOCKET_FORM}, and nothing else but a database`;
  if (!URL.canParse(text)) return refused(form);
  const { hostname, pathname, search, hash, username, password } = new URL(text);
  const db = /^(?:\?db=(\d{1,4}))?$/.exec(search);
  const path = decoded(pathname);
  if (!['', 'localhost'].includes(hostname) || !path || path === '/' || hash || !db) return refused(form);
  return addressOf({ at: { kind: 'socket', path }, tls: false, db: Number(db[1] ?? 0) }, [username, password]);
}

function parseSentinels(text: string, tls: boolean): ParsedRedisAddress {
  const form = `must name Sentinels, the primary and a database, like ${SENTINEL_FORM}`;
  const [matched, username = '', password = '', hosts = '', name = '', db = ''] = SENTINEL.exec(text) ?? [];
  if (matched === undefined) return refused(form);
  const sentinels = hosts.split(',').map(parseSentinel);
  if (!sentinels.every(sentinel => sentinel !== undefined)) return refused(form);
  const at = { kind: 'sentinels', name: decoded(name) ?? name, sentinels } as const;
  return addressOf({ at, tls, db: Number(db) }, [username, password]);
}

function parseSentinel(text: string): HostAndPort | undefined {
  const [matched, host = '', port] = HOST.exec(text) ?? [];
  const number = Number(port ?? SENTINEL_PORT);
  return matched === undefined || number > PORT_MAX ? undefined : { host: bare(host), port: number };
}

/** A URL writes an IPv6 address in brackets. A socket takes it without them. */
const bare = (host: string): string => host.replace(/^\[|\]$/g, '');

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function addressOf(address: RedisAddress, credentials: [username: string, password: string]): ParsedRedisAddress {
  const [username, password] = credentials.map(decoded);
  if (username === undefined || password === undefined) return refused('must have user and password URL-encoded');
  return {
    kind: 'address',
    address: { ...address, ...(username ? { username } : {}), ...(password ? { password } : {}) },
  };
}

/** Validates the address of Redis. It may have a user, a password and the number of a database. */
export const redisAddress = z.string().superRefine((text, ctx) => {
  const parsed = parseRedisAddress(text);
  if (parsed.kind === 'refused') ctx.addIssue({ code: 'custom', message: parsed.why });
});
