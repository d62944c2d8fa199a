import type pg from 'pg';
import { SECOND_MS } from '../../rules/clock.js';
import { type PostgresAddress, type PostgresHost, parsePostgresAddress } from '../../values/postgres-address.js';
import { Primary } from './primary.js';
import type { StatementSettings } from './settings.js';
import { type Certificates, readCertificates, tlsOptions } from './tls.js';

/** Longest wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 2 * SECOND_MS;

/** An address of Postgres, and all that a connection to it needs. */
export interface ConnectionPlan {
  address: PostgresAddress;
  certificates: Certificates;
  /** The settings under which every statement runs. */
  settings: StatementSettings;
  /** The primary among the servers of the address, for all connections together. */
  primary: Primary;
}

/** The configuration of a client. The pool hands its own options to each client that it makes. */
export type PostgresClientConfig = pg.ClientConfig & { plan: ConnectionPlan; connectionTimeoutMillis: number };

/**
 * Plans connections to an address.
 *
 * @param url `postgres://…`
 * @param settings returns the settings for the schema that the address names
 * @param waitMs the longest wait for a connection, in ms, unless the address has `connect_timeout`
 * @throws StoreAddressError for a wrong address; ConfigError for a certificate that cannot be read
 */
export function planConnections(
  url: string,
  settings: (schema: string | undefined) => StatementSettings,
  waitMs = CONNECT_TIMEOUT_MS,
): PostgresClientConfig {
  const address = parsePostgresAddress(url);
  return {
    plan: {
      address,
      certificates: readCertificates(address),
      settings: settings(address.schema),
      primary: new Primary(),
    },
    connectionTimeoutMillis: address.connectTimeoutMs ?? waitMs,
    keepAlive: true,
  };
}

/** Returns the configuration of pg for one server of an address. */
export function configFor({ plan, ...config }: PostgresClientConfig, server: PostgresHost): pg.ClientConfig {
  const { user, password, database, applicationName } = plan.address;
  return {
    ...config,
    host: server.hostaddr ?? server.host,
    port: server.port,
    user,
    password,
    database,
    application_name: applicationName,
    ssl: tlsOptions(plan.address, plan.certificates, server),
  };
}
