import { isIP } from 'node:net';
import { SECOND_MS } from '../rules/clock.js';
import { isAddressText } from './address.js';
import { decoded, refuse, storeAddress } from './store-address.js';

/** How a connection is encrypted, in the words of `sslmode` of libpq. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** One server of an address of Postgres. A host that begins with a slash is the folder of a Unix socket. */
export interface PostgresHost {
  host: string;
  /** The IP address to connect to; the certificate is still that of `host`. */
  hostaddr: string | undefined;
  port: number;
}

/** The parts of `DATABASE_URL`. Parts that are missing get the defaults of Postgres. */
export interface PostgresAddress {
  /** The servers. Of several, the one that takes writes is used. */
  hosts: [PostgresHost, ...PostgresHost[]];
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  schema: string | undefined;
  sslmode: SslMode;
  /** The paths of the files with the certificates of TLS. */
  sslrootcert: string | undefined;
  sslcert: string | undefined;
  sslkey: string | undefined;
  applicationName: string | undefined;
  connectTimeoutMs: number | undefined;
}

const EXAMPLE = 'postgres://user:password@host:5432/dropline';
const PORT = 5_432;

/** The parts of a URL of libpq. `new URL` knows neither several hosts nor the socket of `postgres:///db`. */
const FORM = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^@/?#]*))?(?:\?([^#]*))?$/;
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/;
const HOST_NAME = /^[A-Za-z0-9_.-]+$|^\/|^[0-9A-Fa-f:.]+$/;

/** Prisma puts the name between quotes as it is. */
const SCHEMA = /^[A-Za-z_]\w{0,62}$/;

/** The modes of `sslmode`. `no-verify` is the word of node-postgres for `require`. */
const SSL_MODES: Readonly<Record<string, SslMode>> = {
  disable: 'disable',
  'no-verify': 'require',
  require: 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
};

/** The parameters that an address may have. */
const PARAMETERS = [
  'application_name',
  'connect_timeout',
  'dbname',
  'host',
  'hostaddr',
  'password',
  'port',
  'schema',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
  'user',
] as const;
type Parameter = (typeof PARAMETERS)[number];

/**
 * Parameters of other programs, each with the advice for its user. Only names of this list appear in a message: with a
 * password that is not URL-encoded, any other name may be a piece of it.
 */
const REFUSED: Readonly<Record<string, string>> = {
  options: 'the processes set their own settings',
  channel_binding: 'it is not supported',
  connection_limit: 'each process knows how many connections it needs',
  gssencmode: 'it is not supported',
  load_balance_hosts: 'of several hosts the one that takes writes is used',
  passfile: 'put the password into the address, or the address into the file of DATABASE_URL_FILE',
  pgbouncer: 'a pooler is detected',
  pool_timeout: 'each process knows how long it may wait',
  service: 'it is not supported',
  ssl: 'use sslmode',
  sslaccept: 'use sslmode',
  sslcrl: 'it is not supported',
  sslidentity: 'use sslcert and sslkey',
  sslnegotiation: 'it is not supported',
  sslpassword: 'use a key without a passphrase',
  statement_cache_size: 'statements are not cached',
  uselibpqcompat: 'sslmode already means what it means in libpq',
};

/**
 * Parses an address of Postgres in the form of libpq: `postgres://user:password@host:5432/database?parameter=value`.
 *
 * @throws StoreAddressError for a wrong address
 */
export function parsePostgresAddress(text: string): PostgresAddress {
  const [, userInfo = '', hostList = '', path = '', query = ''] = FORM.exec(checked(text)) ?? refuseForm();
  const given = readParameters(query);
  const colon = userInfo.indexOf(':');
  const user = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const sslmode = SSL_MODES[given.sslmode ?? 'disable'];
  if (!sslmode) refuse('must have sslmode=disable, require, verify-ca or verify-full');
  if (Boolean(given.sslcert) !== Boolean(given.sslkey)) refuse('must have both sslcert and sslkey, or none of them');
  if (sslmode === 'disable' && (given.sslcert || given.sslrootcert)) {
    refuse(
      'must have sslmode=verify-full or verify-ca with sslrootcert, sslcert and sslkey: without it nothing is encrypted',
    );
  }
  // Any certificate of a public authority would do, whatever its name.
  if (sslmode === 'verify-ca' && !given.sslrootcert) refuse('must have sslrootcert with sslmode=verify-ca');
  if (!SCHEMA.test(given.schema ?? 'public')) refuse('must have a schema of at most 63 letters, digits and _');
  if (!/^(read-write|primary)?$/.test(given.target_session_attrs ?? '')) {
    refuse('must have target_session_attrs=read-write or primary: only such a server takes orders');
  }
  return {
    hosts: readHosts(hostList, given),
    user: given.user ?? (decode(user) || undefined),
    password: given.password ?? (colon < 0 ? undefined : decode(userInfo.slice(colon + 1))),
    database: given.dbname ?? (decode(path) || undefined),
    schema: given.schema,
    // As in libpq, a root certificate is there to be checked.
    sslmode: sslmode === 'require' && given.sslrootcert ? 'verify-ca' : sslmode,
    sslrootcert: given.sslrootcert,
    sslcert: given.sslcert,
    sslkey: given.sslkey,
    applicationName: given.application_name,
    connectTimeoutMs: readTimeoutMs(given.connect_timeout),
  };
}

/**
 * Returns the servers of an address as `host:port`, for messages.
 *
 * @throws StoreAddressError for a wrong address
 */
export function hostsOf(text: string): string {
  return parsePostgresAddress(text)
    .hosts.map(({ host, port }) => (host.startsWith('/') ? host : `${host}:${port}`))
    .join(', ');
}

/** Validates the address of Postgres. It may have a user, a password, several hosts, and parameters of libpq. */
export const postgresAddress = storeAddress(parsePostgresAddress);

function checked(text: string): string {
  if (!isAddressText(text) || !/^postgres(ql)?:\/\//.test(text)) refuse(`must be a URL like ${EXAMPLE}`);
  return text;
}

function refuseForm(): never {
  return refuse(`must be a URL like ${EXAMPLE}, with @ : / # ? % in user and password URL-encoded`);
}

function decode(part: string): string {
  return decoded(part) ?? refuseForm();
}

function readParameters(query: string): Partial<Record<Parameter, string>> {
  const given: Partial<Record<Parameter, string>> = {};
  for (const [index, pair] of query.split('&').entries()) {
    if (query === '') break;
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const known = PARAMETERS.find(one => one === name);
    if (!known) refuse(describeUnknown(name, index + 1));
    const value = decode(pair.slice(at + 1));
    if (at < 0 || value === '') refuse(`must have a value for ${known}`);
    if (given[known] !== undefined) refuse(`must have ${known} only once`);
    given[known] = value;
  }
  return given;
}

function describeUnknown(name: string, number: number): string {
  const advice = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  const known = `known are ${PARAMETERS.join(', ')}`;
  if (advice) return `must not have the parameter ${name}: ${advice}`;
  return `has an unknown parameter, number ${number} after the ?: ${known}`;
}

function readHosts(list: string, given: Partial<Record<Parameter, string>>): PostgresAddress['hosts'] {
  const parts = list.split(',').map(part => HOST.exec(part) ?? refuseForm());
  const hosts = given.host?.split(',') ?? parts.map(([, v6, name]) => v6 ?? decode(name ?? ''));
  const ports = given.port?.split(',') ?? parts.map(([, , , port]) => port ?? '');
  const addresses = given.hostaddr?.split(',') ?? [];
  // As in libpq, one port may be that of all hosts.
  if (ports.length !== 1 && ports.length !== hosts.length) refuse('must have one port, or one for each host');
  if (addresses.length !== 0 && addresses.length !== hosts.length) refuse('must have one hostaddr for each host');
  const [first, ...more] = hosts.map((host, index) => ({
    host: checkHost(host || 'localhost'),
    hostaddr: checkAddress(addresses[index]),
    port: checkPort(ports[ports.length === 1 ? 0 : index] ?? ''),
  }));
  return first ? [first, ...more] : refuseForm();
}

function checkHost(host: string): string {
  return HOST_NAME.test(host) ? host : refuseForm();
}

function checkAddress(text: string | undefined): string | undefined {
  return !text || isIP(text) ? text || undefined : refuse('must have IP addresses in hostaddr');
}

function checkPort(text: string): number {
  if (text === '') return PORT;
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : refuseForm();
}

function readTimeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[1-9]\d{0,2}$/.test(text)
    ? Number(text) * SECOND_MS
    : refuse('must have connect_timeout=1 to 999, in seconds');
}
