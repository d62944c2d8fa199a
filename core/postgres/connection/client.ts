import pg from 'pg';
import { ConfiguredQuery } from './configured-query.js';
import { configFor, type PostgresClientConfig } from './plan.js';
import { READ_ONLY_STATE } from './read-only.js';
import { beginConfigured, configureSession, configureStatement } from './settings.js';
import { tlsOptions } from './tls.js';
import { readWritable } from './writable.js';

/** The message of pg for a query that had no answer in time. */
const NO_ANSWER = 'Query read timeout';

/** The message for a query on a connection to an old primary, which may still take writes. Such a query is never sent. */
const OLD_PRIMARY = 'Connection terminated: another server was promoted';

type Callback = (error: Error | null, result?: unknown) => void;
type Statement = string | pg.QueryConfig;

/** The beginning of a transaction, as Prisma writes it. */
const BEGIN = /^\s*BEGIN\s*$/i;

/**
 * A connection to the server that takes writes, under settings that hold for every statement. A direct connection gets
 * the settings once. Behind a pooler each transaction gets them again, as it may be served by another session. A server
 * that has become read-only, that does not answer, or after which another one was promoted, loses the connection, so that the
 * next one finds another server.
 */
export class PostgresClient extends pg.Client {
  readonly #config: PostgresClientConfig;
  /** Whether the session belongs to this client alone, so that settings of the session hold. */
  #isDirect = false;
  #timeline = 0;

  constructor(config: PostgresClientConfig) {
    super(configFor(config, config.plan.address.hosts[0]));
    this.#config = config;
    // An error event that nobody handles ends the process. The pool handles errors of idle connections only, and Prisma
    // those of transactions: neither those of a connection that is being made, taken out or returned. The query in flight
    // reports the loss anyway.
    this.on('error', () => undefined);
    const plain = super.query.bind(this) as (...args: unknown[]) => unknown;
    this.query = ((statement: Statement, values?: unknown, callback?: Callback) =>
      this.#ask(plain, { statement, values, callback })) as pg.Client['query'];
  }

  /** Whether the session belongs to this client alone: no pooler is between this process and Postgres. */
  get isDirect(): boolean {
    return this.#isDirect;
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  /** Connects to the server that takes writes, and makes the settings hold. */
  override connect(callback?: (error: never, client: never) => void): Promise<pg.Client> | undefined {
    const connected = this.#connect();
    if (!callback) return connected;
    const done = callback as (error: Error | null, client?: pg.Client) => void;
    connected.then(
      client => done(null, client),
      (error: Error) => done(error),
    );
    return undefined;
  }

  async #connect(): Promise<pg.Client> {
    await this.#choose();
    await super.connect();
    try {
      const { processID } = this as unknown as { processID: number };
      const { rows } = await super.query(configureSession(this.#config.plan.settings, processID));
      this.#isDirect = rows.length > 0;
    } catch (error) {
      this.#leave();
      throw error;
    }
    return this;
  }

  /** Turns this client to the server that takes writes. Its certificate must have the name of that server. */
  async #choose(): Promise<void> {
    const { address, certificates } = this.#config.plan;
    const { server, timeline } = await readWritable(this.#config);
    this.#timeline = timeline;
    this.host = server.hostaddr ?? server.host;
    this.port = server.port;
    const ssl = tlsOptions(address, certificates, server);
    Object.assign(this, { ssl });
    Object.assign(this.connection, { ssl });
  }

  #ask(
    plain: (...args: unknown[]) => unknown,
    { statement, values, callback }: { statement: Statement; values?: unknown; callback: Callback | undefined },
  ): unknown {
    const given = callback ?? (typeof values === 'function' ? (values as Callback) : undefined);
    if (!given) {
      return new Promise((resolve, reject) => {
        const done: Callback = (error, result) => (error ? reject(error) : resolve(result));
        this.#ask(plain, { statement, values, callback: done });
      });
    }
    const done: Callback = (error, result) => {
      if (error && isDeaf(error)) this.#leave();
      given(error, result);
    };
    if (this.#config.plan.primary.isAfter(this.#timeline)) {
      process.nextTick(done, new Error(OLD_PRIMARY));
      return undefined;
    }
    const own = Array.isArray(values) ? values : undefined;
    // Within a transaction, the settings hold already.
    if (this.#isDirect || this.getTransactionStatus() !== 'I') return plain(statement, own, done);
    const text = typeof statement === 'string' ? statement : statement.text;
    const { settings } = this.#config.plan;
    if (BEGIN.test(text)) return plain(beginConfigured(settings), done);
    return plain(new ConfiguredQuery(configureStatement(settings), { config: statement, values: own }, done));
  }

  /** Ends the connection. The pool drops it when it comes back. */
  #leave(): void {
    this.end().catch(() => undefined);
  }
}

/**
 * Tells whether a connection is of no more use after an error: the server takes no writes, does not answer, or is an old
 * primary.
 */
function isDeaf(error: Error): boolean {
  return (
    (error as { code?: string }).code === READ_ONLY_STATE ||
    error.message === NO_ANSWER ||
    error.message === OLD_PRIMARY
  );
}
