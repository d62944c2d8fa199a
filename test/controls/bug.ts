/** A change of one file of the product: exactly one place reads `find`. */
export interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A bug that somebody could make, and the test that is there to catch it. */
export interface Bug {
  /** What is wrong, as a reviewer would say it. */
  bug: string;
  edits: Edit[];
  /** The kind of test, its file without `.test.ts`, and the beginning of a title that must fail. */
  caughtBy: { kind: 'unit' | 'integration'; file: string; title: string };
}

export const INIT = 'prisma/migrations/0001_init/migration.sql';

/** A bug that is one change of one file. */
export const one = (bug: string, edit: Edit, kind: 'unit' | 'integration', file: string, title: string): Bug => ({
  bug,
  edits: [edit],
  caughtBy: { kind, file, title },
});
