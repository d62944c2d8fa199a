import type { Edit } from '../support/scratch.js';

/** A test that a bug must make fail. */
export interface Control {
  kind: 'unit' | 'integration' | 'edge' | 'e2e' | 'stores' | 'browser';
  /** The path below the folder of the kind, without `.test.ts`. */
  file: string;
  /** The beginning of the title. */
  title: string;
}

/** A bug that a developer could make, and the test that is there to catch it. */
export interface Bug {
  /** The defect, in the words of a reviewer. */
  bug: string;
  edits: Edit[];
  caughtBy: Control;
}

/** The migration with the first tables. */
export const INIT = 'prisma/migrations/0001_init/migration.sql';

/** Returns the path of a Redis script. */
export const lua = (name: string): string => `core/redis/lua/${name}.lua`;

/** Creates a bug that is one change of one file. */
export const one = (bug: string, edit: Edit, caughtBy: Control): Bug => ({ bug, edits: [edit], caughtBy });
