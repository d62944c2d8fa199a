/** A small change of one file that a test should notice. */
export interface Mutant {
  /** The path from the root of the project. */
  file: string;
  /** The name of the operator, such as `lock gone`. */
  operator: string;
  /** The changed piece: offsets in the text of the file. */
  start: number;
  end: number;
  /** The text in place of the piece. */
  replacement: string;
}
/** Makes the mutants of a file's text. */
export type Operators = (file: string, text: string) => Mutant[];
