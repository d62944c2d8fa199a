/** A mutant that is known to survive, and why. */
export interface Mark {
  file: string;
  /** The first line of text that the mutant changes, without its indentation. */
  line: string;
  operator: string;
  /** The piece of text, and the text instead of it. */
  original: string;
  replacement: string;
  /** `equivalent`: no test can notice the mutant, as nothing that a user sees differs. `open`: a test could, and there is none. */
  kind: 'equivalent' | 'open';
  reason: string;
}

/** Marks of mutants in a file that no test can notice. */
export const inFile = (file: string, marks: Omit<Mark, 'file' | 'kind'>[]): Mark[] =>
  marks.map(mark => ({ file, kind: 'equivalent', ...mark }));

/** Marks of mutants in a Redis script that no test can notice. */
export const inScript = (name: string, marks: Omit<Mark, 'file' | 'kind'>[]): Mark[] =>
  inFile(`core/redis/lua/${name}.lua`, marks);

/** Marks with the same reason on one line. */
export const onLine = (
  line: string,
  reason: string,
  changes: [operator: string, original: string, replacement: string][],
) => changes.map(([operator, original, replacement]) => ({ line, operator, original, replacement, reason }));
