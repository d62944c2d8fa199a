import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlResultSet } from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// Prisma's own migration engine, as WebAssembly from an npm package. `prisma migrate` downloads a binary from another host,
// which a closed network does not allow. Only tests use the engine: it compares schema.prisma with the migrations, and
// applies migrations as `prisma migrate deploy` does.

const CONNECT_DEADLINE_MS = 60_000;

// TypeScript declares WebAssembly in the library of the browser, which no other file needs.
declare const WebAssembly: {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, object>) => { exports: { __wbindgen_start: () => void } };
};

/** The columns of type "char" in the engine's queries of the catalog. */
const CHAR_COLUMNS = new Set(['constraint_type', 'confdeltype', 'confupdtype']);

/** The engine's import for a timer. Each build of the engine adds a different hash to the name. */
const TIMER = Object.keys(glue).find(name => name.startsWith('__wbg_setTimeout_'));

let loaded = false;

/**
 * Runs `work` with an engine that is connected to one database, and disconnects.
 *
 * @param databaseUrl an existing database
 * @throws every error of the engine or the database; the engine's errors name the migration
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (engine: glue.SchemaEngine) => Promise<T>,
): Promise<T> {
  load();
  // One connection, because the engine takes a session lock, which a second connection would not hold.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
  });
  // A lost idle connection shows in the engine's next query. Without a listener the error would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', readCharAsText);
  try {
    const engine = await glue.SchemaEngine.new({ datamodels: undefined }, () => undefined, adapterFor(pool));
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** Prisma's driver adapter for Postgres, without its two defects that concern the schema engine (7.10.0). */
function adapterFor(pool: pg.Pool) {
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    // The adapter cuts a script at every semicolon, also inside a function's body. Postgres runs a whole script as one
    // implicit transaction, so a migration happens entirely or not at all.
    adapter.executeScript = async script => {
      await pool.query(script);
    };
    adapter.queryRaw = async query => withChars(await queryRaw(query));
    return adapter;
  };
  return bindMigrationAwareSqlAdapterFactory(factory);
}

/**
 * Reads Postgres's internal type "char" as text, because the adapter refuses that type (prisma/orm#29635). The catalog has
 * the kinds of constraints in such columns. `withChars` restores the type for the engine.
 */
function readCharAsText(client: pg.PoolClient): void {
  if (!(client instanceof pg.Client)) return;
  client.connection.prependListener('rowDescription', (row: { fields: { dataTypeID: number }[] }) => {
    for (const field of row.fields)
      if (field.dataTypeID === pg.types.builtins.CHAR) field.dataTypeID = pg.types.builtins.TEXT;
  });
}

function withChars(result: SqlResultSet): SqlResultSet {
  const columnTypes = result.columnNames.map((name, column) =>
    CHAR_COLUMNS.has(name) ? ColumnTypeEnum.Character : (result.columnTypes[column] ?? ColumnTypeEnum.Text),
  );
  return { ...result, columnTypes };
}

/** Loads the engine by hand, as Node 20 can't import a .wasm file. The engine's glue holds one instance per process. */
function load(): void {
  if (loaded) return;
  const gluePath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = readFileSync(gluePath.replace(/\.js$/, '.wasm'));
  if (TIMER === undefined) throw new Error('the schema engine no longer imports a timer: correct TIMER');
  const imports = { './schema_engine_bg.js': { ...glue, [TIMER]: idleTimer } };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), imports);
  // Before a trap the glue passes the message of a panic to this global. Without it the message would be lost.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panicked } });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  loaded = true;
}

/** Creates a timer that keeps no process alive: the engine never clears the 10 s deadline of its lock. */
function idleTimer(done: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(done, ms).unref();
}

function panicked(message: string): never {
  throw new Error(`the schema engine panicked: ${message}`);
}
