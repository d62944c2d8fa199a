import type { Source } from './checkout.js';
import { lineOf, type Node, nodesOf, parse, type Syntax, walk } from './syntax.js';

/** The title of a test, or of a chapter of tests. */
export interface Title {
  kind: 'test' | 'describe';
  /** As it is written; what a table or a variable fills in is `%s`. */
  text: string;
  line: number;
  /** The call with everything in it. */
  call: Node;
}

/** Lists the titles of a test file. */
export function titlesOf(source: Source): Title[] {
  const syntax = parse(source);
  return nodesOf(syntax, 'CallExpression').flatMap(call => {
    const { callee, arguments: given } = call as Call;
    const [, name] = /^(test|it|describe)\b/.exec(textOf(syntax, callee)) ?? [];
    const title = given[0]?.expression;
    const text = cooked(title);
    if (name === undefined || title === undefined || text === undefined) return [];
    return [
      {
        kind: name === 'describe' ? ('describe' as const) : ('test' as const),
        text,
        line: lineOf(syntax, title),
        call,
      },
    ];
  });
}

/** Lists the names under which jest runs the tests of a file: chapter, then title, with the words of a table filled in. */
export function fullNamesOf(source: Source): string[] {
  const titles = titlesOf(source);
  return titles
    .filter(({ kind }) => kind === 'test')
    .flatMap(({ call }) => {
      const parts = titles.filter(
        title => title.call === call || (title.kind === 'describe' && isIn(call, title.call)),
      );
      return parts
        .map(filledIn)
        .reduce((names, texts) => names.flatMap(name => texts.map(text => `${name} ${text}`.trim())), ['']);
    });
}

type Call = Node & { callee: Node; arguments: { expression: Node }[] };

const isIn = (inner: Node, outer: Node): boolean =>
  outer.span.start < inner.span.start && inner.span.end <= outer.span.end;

const textOf = (syntax: Syntax, { span }: Node): string => syntax.slice(span.start - 1, span.end - 1);

function cooked(node: Node | undefined): string | undefined {
  if (node?.type === 'StringLiteral') return node.value as string;
  if (node?.type !== 'TemplateLiteral') return undefined;
  return (node.quasis as { cooked: string }[]).map(quasi => quasi.cooked).join('%s');
}

/** The title once for each word of the table in `test.each(table)(title)`; as it is written, if the table is elsewhere. */
function filledIn({ call, text }: Title): string[] {
  const each = (call as Call).callee as Call;
  if (each.type !== 'CallExpression' || !/%s/.test(text)) return [text];
  const words: string[] = [];
  walk(each.arguments, node => {
    if (node.type === 'StringLiteral') words.push(node.value as string);
  });
  return words.length === 0 ? [text] : words.map(word => text.replace('%s', word));
}
