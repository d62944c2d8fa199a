import pg from 'pg';

/** The result of a query as pg hands it over. */
type Callback = (error: Error | null, result?: unknown) => void;

/** The messages of pg's connection that this file sends. The types of pg do not have them. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: { values: [] }): void;
  execute(message: { portal: '' }): void;
}

/** The parts of pg's query that this file extends. The types of pg do not have them. */
interface QueryParts extends pg.Submittable {
  requiresPreparation(): boolean;
  prepare(connection: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
}

const Query = pg.Query as unknown as new (
  config: string | pg.QueryConfig,
  values: unknown[] | undefined,
  callback: Callback,
) => QueryParts;

/**
 * A statement with its settings in front. Both travel in one message to Postgres, so they cost no round trip. Postgres
 * runs them as one transaction, which ends with the statement, so the settings do not outlive it. So it works behind a
 * pooler that hands each transaction to another session.
 */
export class ConfiguredQuery extends Query {
  readonly #settings: string;
  #configured = false;

  /**
   * @param settings a query that returns one row
   * @param statement the statement with its values, in one of the forms of pg
   */
  constructor(
    settings: string,
    statement: { config: string | pg.QueryConfig; values: unknown[] | undefined },
    done: Callback,
  ) {
    super(statement.config, statement.values, done);
    this.#settings = settings;
  }

  /** Every statement goes through the extended protocol: only there do two statements have one answer. */
  override requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: Wire): void {
    connection.parse({ text: this.#settings });
    connection.bind({ values: [] });
    connection.execute({ portal: '' });
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.#configured) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#configured) super.handleCommandComplete(message, connection);
    this.#configured = true;
  }
}
