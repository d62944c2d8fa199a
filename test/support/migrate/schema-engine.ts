import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlResultSet } from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// Prisma's own migration engine, as WebAssembly from the registry. The binary that `prisma migrate` runs is downloaded from
// elsewhere, which a closed network does not allow. Only tests use the engine: it knows whether schema.prisma and the
// migrations agree, and what `prisma migrate deploy` would do.

const CONNECT_DEADLINE_MS = 5_000;

// TypeScript knows WebAssembly only as a part of the browser's library, which nothing else here needs.
declare const WebAssembly: {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, object>) => { exports: { __wbindgen_start: () => void } };
};

/** The columns of type "char" in the engine's questions to the catalog. */
const CHAR_COLUMNS = new Set(['constraint_type', 'confdeltype', 'confupdtype']);

/** The engine's import for a timer. Each build of the engine adds a hash of its own to the name. */
const TIMER = Object.keys(glue).find(name => name.startsWith('__wbg_setTimeout_'));

let loaded = false;

/**
 * Runs `work` with an engine that is connected to one database, and disconnects.
 *
 * @param databaseUrl of a Postgres database that exists
 * @param work given the engine
 * @returns what `work` returns
 * @throws what the engine or the database answers; the engine's errors name the migration
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  work: (engine: glue.SchemaEngine) => Promise<T>,
): Promise<T> {
  load();
  // One connection: the engine takes a session lock, which another connection of a pool would not hold.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
  });
  // A lost idle connection shows in the engine's next query; without a listener it would end the process.
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
    // It cuts a script at every semicolon, also inside a function's body. Sent whole, Postgres reads it itself, and
    // as one implicit transaction: a migration happens entirely or not at all.
    adapter.executeScript = async script => {
      await pool.query(script);
    };
    adapter.queryRaw = async query => withChars(await queryRaw(query));
    return adapter;
  };
  return bindMigrationAwareSqlAdapterFactory(factory);
}

/**
 * The adapter refuses Postgres's internal type "char", in which the catalog keeps what a CHECK or a foreign key is
 * (prisma/orm#29635): it is read as text here, and named what it is again for the engine in `withChars`.
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

/** By hand, as Node 20 can't import a .wasm file. Once per process: the engine's glue holds one instance. */
function load(): void {
  if (loaded) return;
  const gluePath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const code = readFileSync(gluePath.replace(/\.js$/, '.wasm'));
  if (TIMER === undefined) throw new Error('the schema engine no longer imports a timer: correct TIMER');
  const imports = { './schema_engine_bg.js': { ...glue, [TIMER]: idleTimer } };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(code), imports);
  // The glue hands the message of a panic to this global before it traps; without it, the message would be lost.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panicked } });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  loaded = true;
}

/** The engine leaves its lock's 10 s deadline running when it has the lock: it must not keep a finished process alive. */
function idleTimer(done: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(done, ms).unref();
}

function panicked(message: string): never {
  throw new Error(`the schema engine panicked: ${message}`);
}
