import { posix } from 'node:path';
import type { Source } from './checkout.js';
import { lineOf, type Node, nodesOf, parse, type Syntax } from './syntax.js';

/** A folder with more files is no longer taken in at a glance. */
export const FILES_MAX = 12;

/** Counts the files that lie directly in each folder. */
export function filesPerFolder(sources: Source[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { path } of sources) {
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return counts;
}

/** A function, method or callback. */
export interface MeasuredFunction {
  path: string;
  line: number;
  name: string;
  lines: number;
}

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

/** Measures every function of a file. The callback of `describe` is a chapter of tests, not a function. */
export function measureFunctions(source: Source): MeasuredFunction[] {
  const syntax = parse(source);
  return nodesOf(syntax, ...FUNCTIONS)
    .filter(node => !isDescribe(syntax.parents.get(node), syntax))
    .map(node => {
      const line = lineOf(syntax, node);
      const lines = syntax.lineAt(node.span.end - 2) - line + 1;
      return { path: source.path, line, name: nameOf(node, syntax.parents.get(node)), lines };
    });
}

function isDescribe(parent: Node | undefined, syntax: Syntax): boolean {
  if (parent?.type !== 'CallExpression') return false;
  return syntax.slice(parent.span.start - 1, parent.span.end - 1).startsWith('describe');
}

interface Named {
  identifier?: { value?: unknown };
  key?: { value?: unknown };
  id?: { value?: unknown };
}

function nameOf(node: Node, parent: Node | undefined): string {
  const { identifier, key } = node as Named;
  const { id, key: property } = (parent ?? {}) as Named;
  const name = [identifier, key, id, property].map(one => one?.value).find(value => typeof value === 'string');
  return typeof name === 'string' ? name : 'a callback';
}
