import { parseSync } from '@swc/core';
import type { Source } from './checkout.js';

/** A node of swc's syntax tree; positions are bytes, from 1. */
export interface Node {
  type: string;
  span: { start: number; end: number };
  [property: string]: unknown;
}

/** A comment, or several `//` comments on lines that follow each other. */
export interface Comment {
  /** With its slashes and stars. */
  text: string;
  line: number;
  /** Byte offsets, from 0. */
  start: number;
  end: number;
}

/** A parsed file. */
export interface Syntax {
  body: Node[];
  /** The nodes of each type, in the order of the file. */
  nodes: Map<string, Node[]>;
  parents: Map<Node, Node>;
  comments: Comment[];
  /** Finds the line, from 1, of a byte offset from 0. */
  lineAt(offset: number): number;
  /** Cuts text out of the file by byte offsets, from 0. */
  slice(start: number, end: number): string;
}

const parsed = new WeakMap<Source, Syntax>();

/** Parses a TypeScript or JavaScript file, once. */
export function parse(source: Source): Syntax {
  const known = parsed.get(source);
  if (known) return known;
  const tree = parseSync(source.text, { syntax: 'typescript', target: 'es2023' });
  const body = tree.body as unknown as Node[];
  // One character per byte, as swc counts bytes.
  const bytes = Buffer.from(source.text).toString('latin1');
  const slice = (start: number, end: number): string => Buffer.from(bytes.slice(start, end), 'latin1').toString('utf8');
  const lineAt = lineFinder(bytes);
  const nodes = new Map<string, Node[]>();
  const parents = new Map<Node, Node>();
  walk(body, (node, parent) => {
    const same = nodes.get(node.type);
    if (same) same.push(node);
    else nodes.set(node.type, [node]);
    if (parent) parents.set(node, parent);
  });
  const literals = LITERALS.flatMap(type => nodes.get(type) ?? []).map(rangeOf);
  literals.sort((a, b) => a.start - b.start);
  const comments = joinLines(findComments(bytes, literals), bytes).map(({ start, end }) => ({
    text: slice(start, end),
    line: lineAt(start),
    start,
    end,
  }));
  const syntax = { body, nodes, parents, comments, lineAt, slice };
  parsed.set(source, syntax);
  return syntax;
}

/** Calls `see` for a node and every node below it, with the node above. */
export function walk(value: unknown, see: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const one of value) walk(one, see, parent);
    return;
  }
  const node = value as Node;
  const isNode = typeof node.type === 'string';
  if (isNode) see(node, parent);
  for (const key in node) {
    if (key !== 'span') walk(node[key], see, isNode ? node : parent);
  }
}

/** Returns every node of the given types in a file. */
export function nodesOf({ nodes }: Syntax, ...types: string[]): Node[] {
  return types.flatMap(type => nodes.get(type) ?? []);
}

/** Strips a doc comment of its slashes and stars; the number of lines stays. */
export function textOf(comment: string): string {
  return comment
    .replace(/^\/\*+[ \t]?/, '')
    .replace(/\s*\*+\/$/, '')
    .replace(/\n[ \t]*\*?[ \t]?/g, '\n');
}

/** Finds the line of a node, from 1. */
export function lineOf(syntax: Syntax, node: Node): number {
  return syntax.lineAt(node.span.start - 1);
}

interface Range {
  start: number;
  end: number;
}

const LITERALS = ['StringLiteral', 'TemplateElement', 'RegExpLiteral'];

const rangeOf = ({ span }: Node): Range => ({ start: span.start - 1, end: span.end - 1 });

/** Slashes open a comment everywhere but in a literal. */
function findComments(bytes: string, literals: Range[]): Range[] {
  const comments: Range[] = [];
  const opening = /\/\/|\/\*/g;
  let passed = 0;
  for (let found = opening.exec(bytes); found; found = opening.exec(bytes)) {
    const start = found.index;
    while ((literals[passed]?.end ?? Number.POSITIVE_INFINITY) <= start) passed += 1;
    const literal = literals[passed];
    if (literal && literal.start <= start) {
      opening.lastIndex = Math.max(literal.end, start + 1);
      continue;
    }
    const closing = found[0] === '//' ? bytes.indexOf('\n', start) : bytes.indexOf('*/', start) + 2;
    const end = closing === -1 ? bytes.length : closing;
    comments.push({ start, end });
    opening.lastIndex = end;
  }
  return comments;
}

/** Joins `//` comments of neighbouring lines: a sentence runs over them. */
function joinLines(comments: Range[], bytes: string): Range[] {
  const joined: Range[] = [];
  for (const comment of comments) {
    const last = joined.at(-1);
    const follows =
      last !== undefined &&
      bytes.startsWith('//', last.start) &&
      bytes.startsWith('//', comment.start) &&
      /^\n[ \t]*$/.test(bytes.slice(last.end, comment.start));
    if (follows) last.end = comment.end;
    else joined.push({ ...comment });
  }
  return joined;
}

function lineFinder(bytes: string): (offset: number) => number {
  const starts = [0];
  for (let at = bytes.indexOf('\n'); at !== -1; at = bytes.indexOf('\n', at + 1)) starts.push(at + 1);
  return offset => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
