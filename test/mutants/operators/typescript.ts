import { Instrumenter } from '@stryker-mutator/instrumenter';
import type { Mutant } from '../mutant.js';
import { unimportant } from './unimportant.js';

type Logger = ConstructorParameters<typeof Instrumenter>[0];

const silent = (): undefined => undefined;
const no = (): boolean => false;

/** Stryker's own log says nothing that this command doesn't say itself. */
const LOG: Logger = {
  isTraceEnabled: no,
  isDebugEnabled: no,
  isInfoEnabled: no,
  isWarnEnabled: no,
  isErrorEnabled: no,
  isFatalEnabled: no,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
};

/** A replacement is text here and not a tree, so these need parentheses to stay one operand. */
const OPERANDS = ['ArithmeticOperator', 'EqualityOperator', 'LogicalOperator'];

/** Makes the mutants of TypeScript and JavaScript by Stryker's operators, without those that no test could notice. */
export async function typescriptMutants(file: string, text: string): Promise<Mutant[]> {
  const instrumenter = new Instrumenter(LOG);
  const sources = [{ name: file, mutate: true, content: text }];
  const options = { plugins: null, excludedMutations: [], ignorers: [unimportant], noHeader: true };
  const { mutants } = await instrumenter.instrument(sources, options);
  const starts = lineStarts(text);
  const offsetOf = ({ line, column }: { line: number; column: number }) => (starts[line] ?? 0) + column;
  return mutants.flatMap(({ mutatorName, location, replacement, status }) => {
    const [start, end] = [offsetOf(location.start), offsetOf(location.end)];
    if (status === 'Ignored' || isTagged(text, start)) return [];
    const isOperand = OPERANDS.includes(mutatorName);
    return [{ file, operator: mutatorName, start, end, replacement: isOperand ? `(${replacement})` : replacement }];
  });
}

/** The template of a tag is SQL. Without any text it fails at once, and the operators for SQL make smaller changes. */
const isTagged = (text: string, start: number): boolean =>
  text[start] === '`' && /(sql|raw|queryRaw|executeRaw)(<[^`]*>)?$/i.test(text.slice(Math.max(0, start - 200), start));

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
