import { isAddressText } from './address.js';
import { decoded, refuse, storeAddress } from './store-address.js';

/** A host and a port. */
export interface HostAndPort {
  host: string;
  port: number;
}

/** Where a Redis is: at a host, behind a unix socket, where Sentinels say, or on the nodes of a cluster. */
export type Whereabouts =
  | ({ kind: 'host' } & HostAndPort)
  | { kind: 'socket'; path: string }
  | { kind: 'sentinels'; name: string; sentinels: readonly HostAndPort[] }
  | { kind: 'cluster'; nodes: readonly HostAndPort[] };

/** The parts of REDIS_URL. */
export interface RedisAddress {
  at: Whereabouts;
  /** Whether the connections are encrypted, those to Sentinels included. */
  tls: boolean;
  username?: string;
  password?: string;
  /** The number of the database; 0 on a cluster, which has no other. */
  db: number;
}

const HOST_FORM = 'redis://127.0.0.1:6379/0';
const SOCKET_FORM = 'unix:///run/redis/redis.sock?db=0';
const SENTINEL_FORM = 'redis+sentinel://user:password@host1:26379,host2:26379,host3:26379/name/0';

const CLUSTER_FORM = 'redis+cluster://user:password@host1:6379,host2:6379,host3:6379';

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const PORT_MAX = 65_535;

/** User, password, hosts, name of the primary, and number of the database. A URL has no list of hosts. */
const SENTINEL = /^rediss?\+sentinel:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]+)\/([^/?#]+)(?:\/(\d{0,4}))?$/i;

/** User, password and hosts. */
const CLUSTER = /^rediss?\+cluster:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]+)\/?$/i;

/** A host with a port, which may be left out. */
const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i;

/**
 * Parses the address of Redis: a host (`redis://`, `rediss://`), a unix socket (`unix://`), Sentinels
 * (`redis+sentinel://`, `rediss+sentinel://`) or a cluster (`redis+cluster://`, `rediss+cluster://`).
 *
 * @throws StoreAddressError for a wrong address
 */
export function parseRedisAddress(text: string): RedisAddress {
  const scheme = /^([a-z+]+):/i.exec(text)?.[1]?.toLowerCase();
  if (!isAddressText(text)) return refuse(`must be a URL like ${HOST_FORM}`);
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseHost(text, scheme === 'rediss');
    case 'unix':
      return parseSocket(text);
    case 'redis+sentinel':
    case 'rediss+sentinel':
      return parseSentinels(text, scheme === 'rediss+sentinel');
    case 'redis+cluster':
    case 'rediss+cluster':
      return parseCluster(text, scheme === 'rediss+cluster');
    default:
      return refuse(`must be a URL like ${HOST_FORM}, ${SOCKET_FORM}, ${SENTINEL_FORM} or ${CLUSTER_FORM}`);
  }
}

function parseHost(text: string, tls: boolean): RedisAddress {
  if (!URL.canParse(text)) return refuse(`must be a URL like ${HOST_FORM}, with user and password URL-encoded`);
  const { hostname, port, pathname, search, hash, username, password } = new URL(text);
  if (!hostname) return refuse(`must name a host, like ${HOST_FORM}; a unix socket has the form ${SOCKET_FORM}`);
  if (search || hash || !/^\/?\d{0,4}$/.test(pathname)) {
    return refuse(`must have nothing but the number of a database after the host, like ${HOST_FORM}`);
  }
  const at = { kind: 'host', host: bare(hostname), port: Number(port || REDIS_PORT) } as const;
  return addressOf({ at, tls, db: Number(pathname.slice(1)) }, [username, password]);
}

function parseSocket(text: string): RedisAddress {
  const form = `must name the file of a socket, like ${SOCKET_FORM}, and nothing else but a database`;
  if (!URL.canParse(text)) return refuse(form);
  const { hostname, pathname, search, hash, username, password } = new URL(text);
  const db = /^(?:\?db=(\d{1,4}))?$/.exec(search);
  const path = decoded(pathname);
  if (!['', 'localhost'].includes(hostname) || !path || path === '/' || hash || !db) return refuse(form);
  return addressOf({ at: { kind: 'socket', path }, tls: false, db: Number(db[1] ?? 0) }, [username, password]);
}

function parseSentinels(text: string, tls: boolean): RedisAddress {
  const form = `must name Sentinels, the primary and a database, like ${SENTINEL_FORM}`;
  const [, username = '', password = '', hosts = '', name = '', db = ''] = SENTINEL.exec(text) ?? [];
  // A text of another form has no hosts, and no host is an empty one.
  const sentinels = hosts.split(',').map(one => parseHostAndPort(one, SENTINEL_PORT));
  if (!sentinels.every(sentinel => sentinel !== undefined)) return refuse(form);
  const at = { kind: 'sentinels', name: decoded(name) ?? name, sentinels } as const;
  return addressOf({ at, tls, db: Number(db) }, [username, password]);
}

function parseCluster(text: string, tls: boolean): RedisAddress {
  const [, username = '', password = '', hosts = ''] = CLUSTER.exec(text) ?? [];
  const nodes = hosts.split(',').map(one => parseHostAndPort(one, REDIS_PORT));
  if (!nodes.every(node => node !== undefined)) {
    return refuse(`must name nodes of a Redis Cluster and nothing else, like ${CLUSTER_FORM}`);
  }
  return addressOf({ at: { kind: 'cluster', nodes }, tls, db: 0 }, [username, password]);
}

function parseHostAndPort(text: string, otherwise: number): HostAndPort | undefined {
  const [matched, host = '', port] = HOST.exec(text) ?? [];
  const number = Number(port ?? otherwise);
  return matched === undefined || number > PORT_MAX ? undefined : { host: bare(host), port: number };
}

/** A URL writes an IPv6 address in brackets. A socket takes it without them. */
const bare = (host: string): string => host.replace(/[[\]]/g, '');

function addressOf(address: RedisAddress, credentials: [username: string, password: string]): RedisAddress {
  const [username, password] = credentials.map(decoded);
  if (username === undefined || password === undefined) return refuse('must have user and password URL-encoded');
  return { ...address, ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/** Validates the address of Redis. It may have a user, a password and the number of a database. */
export const redisAddress = storeAddress(parseRedisAddress);
