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

/** All marks. A mark that fits no mutant any more fails test/unit/mutants/marks.test.ts. */
export const MARKS: readonly Mark[] = [];
