import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createScratch, type Scratch } from '../../support/scratch.js';
import { startHeldPostgres } from '../../support/stores/start-shared-postgres.mjs';
import { writeCompiled } from './compiled.js';
import { JestProcess, type TestRequest, type TestRun } from './jest-process.js';
import { createTables, MIGRATION, readSchema } from './tables.js';

/** The time that a test awaits a fact, in ms: 60 s are for a busy machine, and each mutant that breaks the fact would take them. */
const EVENTUALLY = {
  file: 'test/support/eventually.ts',
  find: 'const DEADLINE_MS = 60_000;',
  replace: 'const DEADLINE_MS = 15_000;',
};

/** A workshop, where mutants are tried, one at a time: a copy of the sources, a Postgres, and a jest. */
export class Workshop {
  readonly scratch: Scratch;
  readonly #jest: JestProcess;
  readonly #postgres: SharedPostgres;
  /** The URL of the database that integration tests copy. */
  #database: string;

  constructor(scratch: Scratch, postgres: SharedPostgres) {
    this.scratch = scratch;
    this.#postgres = postgres;
    this.#database = postgres.url;
    this.#jest = new JestProcess(scratch.folder);
  }

  /** Runs files of tests on the sources as they are. */
  async run(request: TestRequest): Promise<TestRun[] | 'timed out'> {
    try {
      return await this.#jest.run({ ...request, database: this.#database });
    } finally {
      if (request.kind === 'integration') await this.#postgres.dropDatabases();
    }
  }

  /** Writes a text into a file, does some work, and takes the text back. A migration's text makes the tables of the tests. */
  async withText<T>(file: string, text: string, work: () => Promise<T>): Promise<T> {
    const { folder } = this.scratch;
    const before = await readFile(join(folder, file), 'utf8');
    try {
      await writeCompiled(folder, new Map([[file, text]]));
      if (MIGRATION.test(file)) this.#database = (await createTables(this.#postgres.url, folder)).url;
      return await work();
    } finally {
      this.#database = this.#postgres.url;
      await writeCompiled(folder, new Map([[file, before]]));
    }
  }

  /** Tells whether the tables that a migration now makes differ from those of the migrations as they are. */
  async changesTables(): Promise<boolean> {
    return (await readSchema(this.#database)) !== (await readSchema(this.#postgres.url));
  }

  /** Ends jest and Postgres, and removes the copy. */
  async close(): Promise<void> {
    await this.#jest.stop();
    await this.#postgres.stop();
    await this.scratch.remove();
  }
}

/** Starts a workshop, where mutants are tried. */
export async function startWorkshop(): Promise<Workshop> {
  const [scratch, postgres] = await Promise.all([createScratch(), startSharedPostgres()]);
  const { folder } = scratch;
  const path = join(folder, EVENTUALLY.file);
  const pieces = (await readFile(path, 'utf8')).split(EVENTUALLY.find);
  if (pieces.length !== 2) throw new Error(`${EVENTUALLY.file} no longer has its deadline: let test/mutants follow`);
  await writeCompiled(folder, new Map([[EVENTUALLY.file, pieces.join(EVENTUALLY.replace)]]));
  return new Workshop(scratch, postgres);
}

interface SharedPostgres {
  url: string;
  /** Drops the databases of the tests that ran: 8 MB each, for thousands of runs. */
  dropDatabases(): Promise<void>;
  stop(): Promise<void>;
}

async function startSharedPostgres(): Promise<SharedPostgres> {
  const { url, stop } = await startHeldPostgres();
  const server = new URL(url);
  server.pathname = 'postgres';
  return {
    url,
    async dropDatabases() {
      const client = new pg.Client({ connectionString: server.href });
      await client.connect();
      try {
        const { rows } = await client.query<{ datname: string }>(
          "SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9a-f]+$'",
        );
        for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
      } finally {
        await client.end();
      }
    },
    stop,
  };
}
