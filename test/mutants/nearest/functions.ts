import { type Node, nodesOf, parse, type Syntax } from '../../unit/house/rules/syntax.js';

const FUNCTIONS = [
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
];

/** A function of a file, or the whole file. */
export interface Spot {
  /** The path and the names from the outside in, such as `core/rules/refund.ts#takeRefusal`. */
  id: string;
  /** Offsets in the text. */
  start: number;
  end: number;
  /** Where code can be put in: after the brace of a block, or around an expression. */
  body: { start: number; end: number; isBlock: boolean };
}

/** Returns the id of what a file does when it is loaded. */
export const fileId = (path: string): string => `${path}#`;

/** Lists the functions of a TypeScript or JavaScript file, each outer one before those in it. */
export function functionsOf(path: string, text: string): Spot[] {
  const syntax = parse({ path, text });
  const offsetOf = characterOffsets(text);
  const used = new Map<string, number>();
  const ids = new Map<Node, string>();
  const nodes = nodesOf(syntax, ...FUNCTIONS).toSorted((a, b) => a.span.start - b.span.start);
  return nodes.flatMap(node => {
    const body = bodyOf(node);
    if (!body) return [];
    const outer = outerOf(node, syntax, ids) ?? fileId(path);
    const plain = `${outer}${outer.endsWith('#') ? '' : '.'}${nameOf(node, syntax)}`;
    const times = (used.get(plain) ?? 0) + 1;
    used.set(plain, times);
    const id = times === 1 ? plain : `${plain}:${times}`;
    ids.set(node, id);
    const isBlock = body.type !== 'ParenthesisExpression' && text.startsWith('{', offsetOf(body.span.start - 1));
    const span = { start: offsetOf(body.span.start - 1), end: offsetOf(body.span.end - 1), isBlock };
    return [{ id, start: offsetOf(node.span.start - 1), end: offsetOf(node.span.end - 1), body: span }];
  });
}

function bodyOf(node: Node): Node | undefined {
  const inner = (node.function ?? {}) as { body?: unknown };
  return ((node.body ?? inner.body) as Node | null | undefined) ?? undefined;
}

function outerOf(node: Node, { parents }: Syntax, ids: Map<Node, string>): string | undefined {
  for (let at = parents.get(node); at; at = parents.get(at)) {
    const id = ids.get(at);
    if (id !== undefined) return id;
  }
  return undefined;
}

function nameOf(node: Node, { parents }: Syntax): string {
  const parent = parents.get(node) ?? node;
  const names = [node.identifier, node.key, parent.id, parent.key].map(
    one => (one as { value?: unknown } | null)?.value,
  );
  return String(names.find(name => typeof name === 'string') ?? '()');
}

/** Returns a function that turns swc's byte offsets into offsets of the text. */
function characterOffsets(text: string): (byte: number) => number {
  const bytes = Buffer.from(text);
  if (bytes.length === text.length) return byte => byte;
  return byte => bytes.subarray(0, byte).toString('utf8').length;
}
