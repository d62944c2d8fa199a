/** The part of Babel's path that the rules below read. */
interface Path {
  node: Node;
  parent?: Node;
}

interface Node {
  type: string;
  name?: string;
  object?: Node;
  property?: Node;
  callee?: Node;
  key?: Node;
}

const LOG_METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const TEXTS = ['StringLiteral', 'TemplateLiteral'];
/** Texts that people read: the help of metrics and options. */
const EXPLAINING_KEYS = ['help', 'description'];
/** Functions whose texts are names of crash points: the compiler knows all of them, and refuses another one. */
const CRASHING = ['crashPoint', 'crashStep'];
/** Functions whose text names work in the message of an error. */
const LIMITING = ['withDeadline'];

/** Returns the last name of what is called: `warn` of `ctx.log.warn`. */
const calledName = ({ callee }: Node): string => callee?.property?.name ?? callee?.name ?? '';

const ownerName = ({ callee }: Node): string => callee?.object?.property?.name ?? callee?.object?.name ?? '';

const isLogCall = (node: Node): boolean =>
  node.type === 'CallExpression' && LOG_METHODS.includes(calledName(node)) && /log(ger)?$/i.test(ownerName(node));

const isPrinting = (node: Node): boolean =>
  node.type === 'CallExpression' && calledName(node) === 'write' && /^(stdout|stderr)$/.test(ownerName(node));

/**
 * Leaves out pieces whose mutants no test should notice: tests hold facts, and no wording. A log line, a text that is printed,
 * the text of an error, and the help of a metric or an option.
 */
export const unimportant = {
  /** Returns the reason to leave out a piece and all below it. */
  shouldIgnore(path: object): string | undefined {
    const { node, parent } = path as Path;
    if (isLogCall(node)) return 'a line of the log';
    if (isPrinting(node)) return 'a printed line';
    if (!TEXTS.includes(node.type) || !parent) return undefined;
    if (parent.type === 'CallExpression' && CRASHING.includes(calledName(parent))) return 'the name of a crash point';
    if (parent.type === 'CallExpression' && LIMITING.includes(calledName(parent))) return 'the text of an error';
    if (parent.type === 'NewExpression' && /Error$|^Not[A-Z]|Unavailable$/.test(parent.callee?.name ?? ''))
      return 'the text of an error';
    if (parent.type === 'ObjectProperty' && EXPLAINING_KEYS.includes(parent.key?.name ?? '')) return 'a help text';
    return undefined;
  },
};
