import type { Operators } from '../mutant.js';
import { type Change, mutantsOf } from './change.js';
import { callChanges, swapChanges } from './lua/calls.js';
import { type LuaNode, readLuaTree, type Visit } from './lua/tree.js';

/**
 * Makes the mutants of a Redis script: conditions, comparisons, signs, numbers, writes, messages, the order of two writes, and
 * the flags in the first line.
 */
export const luaMutants: Operators = (file, text) =>
  mutantsOf(file, text, [...flagChanges(text), ...changesIn({ text, node: readLuaTree(text), around: [] })]);

function* changesIn(visit: Visit): Iterable<Change> {
  const { text, node, around } = visit;
  yield* conditionChanges(visit);
  yield* operandChanges(visit);
  yield* comparisonChanges(visit);
  yield* signChanges(visit);
  yield* numberChanges(visit);
  yield* callChanges(visit);
  yield* swapChanges(visit);
  for (const child of node.children) yield* changesIn({ text, node: child, around: [node, ...around] });
}

/** A script without flags is refused when Redis's memory is full. With `allow-oom` it runs. */
function flagChanges(text: string): Change[] {
  const [, flags] = /^#!lua(.*)/.exec(text) ?? [];
  if (flags === undefined) return [];
  const start = '#!lua'.length;
  const replacement = flags === '' ? ' flags=allow-oom' : '';
  return [{ operator: 'flags changed', start, end: start + flags.length, replacement }];
}

function conditionsOf(node: LuaNode): LuaNode[] {
  return node.kind === 'if' ? node.children.filter(({ kind }) => kind !== 'block') : [];
}

function* conditionChanges({ node }: Visit): Iterable<Change> {
  for (const { start, end } of conditionsOf(node)) {
    yield { operator: 'condition gone', start, end, replacement: 'true' };
    yield { operator: 'condition gone', start, end, replacement: 'false' };
  }
}

/** Takes one operand out of `a and b`, or of `a or b or c`. */
function* operandChanges({ node, around }: Visit): Iterable<Change> {
  const operator = node.operator?.text ?? '';
  if (!['and', 'or'].includes(operator)) return;
  // The whole chain is changed at its outermost operator.
  if (around[0]?.operator?.text === operator && around[0].children[0] === node) return;
  const operands = chainOf(node, operator);
  for (const [n, { start, end }] of operands.entries()) {
    const [before, after] = [operands[n - 1], operands[n + 1]];
    const piece = before ? { start: before.end, end } : { start, end: after?.start ?? end };
    yield { operator: 'condition gone', ...piece, replacement: '' };
  }
}

function chainOf(node: LuaNode, operator: string): LuaNode[] {
  const [left, right] = node.children;
  if (node.kind !== 'binary' || node.operator?.text !== operator || !left || !right) return [node];
  return [...chainOf(left, operator), right];
}

const TURNED: Record<string, string> = { '==': '~=', '~=': '==', '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** No test can meet the very millisecond of a bound, so a comparison of times is turned round. */
const TURNED_ROUND: Record<string, string> = { '<': '>', '<=': '>', '>': '<', '>=': '<' };
const OF_TIMES = /\bnow\b|PTTL/;

function* comparisonChanges({ text, node, around: [parent] }: Visit): Iterable<Change> {
  const { operator } = node;
  if (!operator || node.kind !== 'binary') return;
  const isOfTimes = OF_TIMES.test(text.slice(node.start, node.end));
  const turned = (isOfTimes ? TURNED_ROUND[operator.text] : undefined) ?? TURNED[operator.text];
  if (!turned) return;
  // The condition that is gone turns `if a == b`, and makes `a > 0` the same as `a >= 0` of a count.
  const isCondition = parent !== undefined && conditionsOf(parent).includes(node);
  const isOperand = ['and', 'or'].includes(parent?.operator?.text ?? '');
  if (isCondition && /[=~]=/.test(turned)) return;
  if ((isCondition || isOperand) && text.slice(operator.start, node.end) === '> 0') return;
  yield { operator: 'comparison turned', start: operator.start, end: operator.end, replacement: turned };
}

const SIGNS: Record<string, string> = { '+': '-', '-': '+' };

function* signChanges({ node, around }: Visit): Iterable<Change> {
  const { operator, kind } = node;
  const [parent] = around;
  if (!operator || isInIndex(around)) return;
  const { start, end, text } = operator;
  if (kind === 'binary' && SIGNS[text]) yield { operator: 'sign turned', start, end, replacement: SIGNS[text] };
  if (kind !== 'unary') return;
  if (text === '-') yield { operator: 'sign turned', start, end, replacement: '' };
  const isCondition = parent && conditionsOf(parent).includes(node);
  if (text === 'not' && !isCondition) yield { operator: 'condition turned', start, end, replacement: '' };
}

/** From this number on, one more makes no difference that a test could see. */
const LARGE = 10_000;

/** Any test notices another element, as of `KEYS[i + 1]`. */
const isInIndex = (around: LuaNode[]): boolean => around.some(({ kind }) => kind === 'index');

function* numberChanges({ text, node, around }: Visit): Iterable<Change> {
  const [parent] = around;
  if (node.kind !== 'number' || parent?.kind === 'unary' || isInIndex(around)) return;
  const { start, end } = node;
  const number = Number(text.slice(start, end));
  for (const other of othersOf(number, parent)) {
    yield { operator: 'number off', start, end, replacement: String(other) };
  }
}

function othersOf(number: number, parent: LuaNode | undefined): number[] {
  if (parent?.kind === 'field') return [number - 1, number + 1].filter(other => other >= 0);
  // One thousandth more of a time is less than what a test waits anyway.
  const isFactor = ['*', '/'].includes(parent?.operator?.text ?? '');
  if (number >= LARGE || isFactor) return [number * 10];
  const isLoop = parent?.kind === 'for';
  return [number === 1 && !isLoop ? 0 : number + 1];
}
