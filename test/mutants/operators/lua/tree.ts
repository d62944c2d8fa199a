import { type Kinds, readTokens, type Token } from '../tokens.js';

/**
 * A piece of a Lua script. A block's children are its statements. The children of an `if` are a condition and a block,
 * and so on, and perhaps the block of `else`. A call's first child is the function, the others are arguments.
 */
export interface LuaNode {
  kind: LuaKind;
  start: number;
  end: number;
  children: LuaNode[];
  /** The operator of a binary or unary expression. */
  operator?: Token;
}

/** A piece of a script as it is visited, with the pieces around it, the innermost first. */
export interface Visit {
  text: string;
  node: LuaNode;
  around: LuaNode[];
}

type LuaKind =
  | 'block'
  | 'if'
  | 'for'
  | 'set'
  | 'return'
  | 'function'
  | 'binary'
  | 'unary'
  | 'call'
  | 'index'
  | 'group'
  | 'table'
  | 'field'
  | 'name'
  | 'number'
  | 'string';

const KINDS: Kinds = {
  skip: /\s+|--[^\n]*|#![^\n]*/y,
  string: /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y,
  number: /\d+(?:\.\d+)?/y,
  word: /[A-Za-z_]\w*/y,
  symbol: /\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.]/y,
};

const CONSTANTS = ['nil', 'true', 'false'];

/** How tightly each binary operator binds, as in the manual of Lua 5.1. */
const BINDING: Record<string, number> = {
  or: 1,
  and: 2,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '~=': 3,
  '==': 3,
  '..': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};

const UNARY = ['not', '-', '#'];
const UNARY_BINDING = 7;

/**
 * Reads the tree of a script: the part of Lua 5.1 that the scripts use.
 *
 * @throws when the script has anything else
 */
export function readLuaTree(text: string): LuaNode {
  return new LuaReader(readTokens(text, KINDS)).readScript();
}

class LuaReader {
  readonly #tokens: Token[];
  #next = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  readScript(): LuaNode {
    const block = this.#block();
    if (this.#next < this.#tokens.length) throw new Error(`unread: ${this.#peek()}`);
    return block;
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#next + ahead]?.text ?? '';
  }

  #take(expected?: string): Token {
    const token = this.#tokens[this.#next++];
    if (!token) throw new Error('the script ends too early');
    if (expected && token.text !== expected) throw new Error(`${expected} expected at ${token.start}: ${token.text}`);
    return token;
  }

  #takeIf(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#take();
    return true;
  }

  /** Makes the node of what was read since `start`. */
  #node(kind: LuaKind, start: number, children: LuaNode[]): LuaNode {
    return { kind, start, end: this.#tokens[this.#next - 1]?.end ?? start, children };
  }

  #start(): number {
    return this.#tokens[this.#next]?.start ?? this.#tokens.at(-1)?.end ?? 0;
  }

  #block(): LuaNode {
    const start = this.#start();
    const statements: LuaNode[] = [];
    while (!['', 'end', 'else', 'elseif'].includes(this.#peek())) {
      statements.push(this.#statement());
      this.#takeIf(';');
    }
    return this.#node('block', start, statements);
  }

  #statement(): LuaNode {
    const start = this.#start();
    if (this.#takeIf('if')) return this.#if(start);
    if (this.#takeIf('for')) return this.#for(start);
    if (this.#takeIf('return')) return this.#return(start);
    const isLocal = this.#takeIf('local');
    if (this.#takeIf('function')) {
      this.#take();
      return this.#function(start);
    }
    const targets = this.#expressions();
    if (this.#takeIf('=')) return this.#node('set', start, this.#expressions());
    return !isLocal && targets[0]?.kind === 'call' ? targets[0] : this.#node('set', start, []);
  }

  #if(start: number): LuaNode {
    const children = [this.#expression()];
    this.#take('then');
    children.push(this.#block());
    while (this.#takeIf('elseif')) {
      children.push(this.#expression());
      this.#take('then');
      children.push(this.#block());
    }
    if (this.#takeIf('else')) children.push(this.#block());
    this.#take('end');
    return this.#node('if', start, children);
  }

  /** Reads a loop. The children are its bounds, or what it iterates over, and its block. */
  #for(start: number): LuaNode {
    while (!['=', 'in'].includes(this.#take().text));
    const bounds = this.#expressions();
    this.#take('do');
    const body = this.#block();
    this.#take('end');
    return this.#node('for', start, [...bounds, body]);
  }

  #return(start: number): LuaNode {
    const ends = ['', 'end', 'else', 'elseif', ';'].includes(this.#peek());
    return this.#node('return', start, ends ? [] : this.#expressions());
  }

  #function(start: number): LuaNode {
    while (this.#take().text !== ')');
    const body = this.#block();
    this.#take('end');
    return this.#node('function', start, [body]);
  }

  #expressions(): LuaNode[] {
    const expressions = [this.#expression()];
    while (this.#takeIf(',')) expressions.push(this.#expression());
    return expressions;
  }

  #expression(above = 0): LuaNode {
    const start = this.#start();
    let left = this.#operand();
    for (let binding = BINDING[this.#peek()] ?? 0; binding > above; binding = BINDING[this.#peek()] ?? 0) {
      const operator = this.#take();
      // `..` associates to the right.
      const right = this.#expression(operator.text === '..' ? binding - 1 : binding);
      left = { ...this.#node('binary', start, [left, right]), operator };
    }
    return left;
  }

  #operand(): LuaNode {
    const start = this.#start();
    if (UNARY.includes(this.#peek())) {
      const operator = this.#take();
      const operand = this.#expression(UNARY_BINDING);
      return { ...this.#node('unary', start, [operand]), operator };
    }
    return this.#suffixes(start, this.#primary(start));
  }

  #primary(start: number): LuaNode {
    if (this.#peek() === '{') return this.#table(start);
    if (this.#takeIf('function')) return this.#function(start);
    if (this.#takeIf('(')) {
      const inner = this.#expression();
      this.#take(')');
      return this.#node('group', start, [inner]);
    }
    const { kind, text } = this.#take();
    if (kind === 'symbol') throw new Error(`an expression expected: ${text}`);
    return this.#node(kind === 'number' || kind === 'string' ? kind : 'name', start, []);
  }

  /** Reads what may follow an expression: `.name`, `[key]` and calls. */
  #suffixes(start: number, first: LuaNode): LuaNode {
    let node = first;
    for (;;) {
      if (['number', 'string', 'table'].includes(node.kind) || CONSTANTS.includes(this.#textOf(node))) return node;
      if (this.#takeIf('.')) {
        this.#take();
        node = this.#node('name', start, []);
      } else if (this.#takeIf('[')) {
        const key = this.#expression();
        this.#take(']');
        node = this.#node('index', start, [node, key]);
      } else if (this.#takeIf('(')) {
        const args = this.#peek() === ')' ? [] : this.#expressions();
        this.#take(')');
        node = this.#node('call', start, [node, ...args]);
      } else return node;
    }
  }

  #textOf(node: LuaNode): string {
    return this.#tokens.find(token => token.start === node.start && token.end === node.end)?.text ?? '';
  }

  #table(start: number): LuaNode {
    this.#take('{');
    const fields: LuaNode[] = [];
    while (this.#peek() !== '}') {
      const fieldStart = this.#start();
      const isNamed = this.#peek(1) === '=';
      if (isNamed) {
        this.#take();
        this.#take('=');
      }
      const value = this.#expression();
      fields.push(isNamed ? this.#node('field', fieldStart, [value]) : value);
      this.#takeIf(',');
    }
    this.#take('}');
    return this.#node('table', start, fields);
  }
}
