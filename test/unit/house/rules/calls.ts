import type { Source } from './checkout.js';
import { exportsOf } from './exports.js';
import type { Finding } from './finding.js';
import { lineOf, type Node, nodesOf, parse, type Syntax } from './syntax.js';

const PARAMETERS_MAX = 3;

const nameIn = (node: unknown): string => String((node as { value?: unknown } | null | undefined)?.value ?? '');

/** Finds `import { a as b }` and `export { a as b }`. */
export function aliases(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    return nodesOf(syntax, 'ImportSpecifier', 'ExportSpecifier').flatMap(node => {
      const [from, to] = node.type === 'ImportSpecifier' ? [node.imported, node.local] : [node.orig, node.exported];
      if (!from || !to || nameIn(from) === nameIn(to)) return [];
      return [{ path: source.path, line: lineOf(syntax, node), text: `${nameIn(from)} as ${nameIn(to)}` }];
    });
  });
}

/** Finds `true` and `false` as arguments of functions that the project declares. */
export function booleanArguments(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    const own = ownFunctions(syntax);
    return nodesOf(syntax, 'CallExpression').flatMap(call => {
      const { callee, arguments: given } = call as Node & { callee: Node; arguments: { expression: Node }[] };
      const isOwn = callee.type === 'Identifier' && own.has(nameIn(callee));
      if (!isOwn || !given.some(({ expression }) => expression.type === 'BooleanLiteral')) return [];
      return [{ path: source.path, line: lineOf(syntax, call), text: oneLine(syntax, call) }];
    });
  });
}

const oneLine = (syntax: Syntax, node: Node): string =>
  syntax
    .slice(node.span.start - 1, node.span.end - 1)
    .replace(/\s+/g, ' ')
    .slice(0, 100);

/** The names of functions that are declared in the file, or imported from a file of the project. */
function ownFunctions(syntax: Syntax): Set<string> {
  const imports = syntax.body.filter(
    ({ type, source }) => type === 'ImportDeclaration' && /^[.#]/.test(nameIn(source)),
  );
  const imported = imports.flatMap(({ specifiers }) => (specifiers as Node[]).map(({ local }) => nameIn(local)));
  const declared = nodesOf(syntax, 'FunctionDeclaration').map(({ identifier }) => nameIn(identifier));
  const arrows = nodesOf(syntax, 'VariableDeclarator')
    .filter(({ init }) => (init as Node | null)?.type === 'ArrowFunctionExpression')
    .map(({ id }) => nameIn(id));
  return new Set([...imported, ...declared, ...arrows]);
}

/** Finds exported functions and constructors with more than three parameters, but for options as the fourth. */
export function longParameterLists(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    return exportsOf(syntax).flatMap(({ name, declaration }) =>
      parameterLists(declaration)
        .filter(list => !isShort(list))
        .map(list => ({ path: source.path, line: lineOf(syntax, declaration), text: `${name}: ${list.length}` })),
    );
  });
}

/** Three parameters, then options or a rest. */
function isShort(list: Node[]): boolean {
  const last = list[PARAMETERS_MAX];
  if (last === undefined) return true;
  return list.length === PARAMETERS_MAX + 1 && (last.type === 'RestElement' || isOptions(last));
}

/** The parameters of a function, and of a class the constructor's. */
function parameterLists(declaration: Node): Node[][] {
  if (declaration.type === 'FunctionDeclaration') return [patternsOf(declaration.params)];
  if (declaration.type === 'ClassDeclaration') {
    return (declaration.body as Node[])
      .filter(({ type }) => type === 'Constructor')
      .map(({ params }) => patternsOf(params));
  }
  if (declaration.type !== 'VariableDeclaration') return [];
  return (declaration.declarations as { id: Node; init?: Node }[])
    .filter(({ id, init }) => init?.type === 'ArrowFunctionExpression' && !isErrorHandler(id))
    .map(({ init }) => patternsOf(init?.params));
}

/** Express knows the handler of errors by its four parameters. */
const isErrorHandler = (id: Node): boolean => nameIn(typeOf(id)?.typeName) === 'ErrorRequestHandler';

const patternsOf = (params: unknown): Node[] =>
  (params as Node[]).map(param => (param.pat ?? param.param ?? param) as Node);

/** Options are an object that is taken apart, or has its fields or `Options` as its type. */
function isOptions(pattern: Node | undefined): boolean {
  if (pattern?.type === 'ObjectPattern') return true;
  const target = pattern?.type === 'AssignmentPattern' ? (pattern.left as Node) : pattern;
  if (target?.type === 'ObjectPattern') return true;
  const type = typeOf(target);
  return type?.type === 'TsTypeLiteral' || /(Options|Settings)$/.test(nameIn(type?.typeName));
}

const typeOf = (pattern: Node | undefined): Node | undefined =>
  (pattern?.typeAnnotation as { typeAnnotation?: Node } | null | undefined)?.typeAnnotation;
