import type { Source } from './checkout.js';
import type { Finding } from './finding.js';
import { type Comment, lineOf, type Node, parse, type Syntax, textOf } from './syntax.js';

/** A name that other files may import, with its declaration in this file. */
export interface Export {
  name: string;
  /** The declaration without `export`: a function, class, variable, interface, type or enum. */
  declaration: Node;
  /** The whole statement. */
  statement: Node;
}

/** Lists the exports that a file declares. A re-export is described where its name is declared. */
export function exportsOf(syntax: Syntax): Export[] {
  const declared = syntax.body.flatMap(statement => {
    const declaration = (statement.declaration ?? statement) as Node;
    return namesOf(declaration).map(name => ({ name, declaration, statement }));
  });
  const listed = syntax.body.filter(({ type, source }) => type === 'ExportNamedDeclaration' && !source);
  const names = new Set(listed.flatMap(({ specifiers }) => (specifiers as Node[]).map(({ orig }) => wordOf(orig))));
  const exported = declared.filter(({ name, statement }) => statement.type === 'ExportDeclaration' || names.has(name));
  return exported.filter(({ name }, index) => exported.findIndex(one => one.name === name) === index);
}

const wordOf = (node: unknown): string => String((node as { value?: unknown } | undefined)?.value ?? '');

function namesOf(declaration: Node): string[] {
  if (declaration.type === 'VariableDeclaration') {
    return (declaration.declarations as Node[]).map(({ id }) => wordOf(id)).filter(name => name !== '');
  }
  const name = wordOf(declaration.identifier ?? declaration.id);
  return name === '' ? [] : [name];
}

/** Returns the doc comment directly above a statement. */
export function docAbove(syntax: Syntax, statement: Node): Comment | undefined {
  const start = statement.span.start - 1;
  return syntax.comments.find(
    ({ end, text }) =>
      end <= start &&
      text.startsWith('/**') &&
      /^\s*$/.test(syntax.slice(end, start)) &&
      !/\n\s*\n/.test(syntax.slice(end, start)),
  );
}

/** A sentence: from a capital letter to a full stop, or to the mark of a question that a benchmark answers. */
const SUMMARY = /^\p{Lu}[\s\S]*?[.?]["')`]*(\s|$)/u;

/** Finds exports that no sentence describes. */
export function undescribedExports(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    return exportsOf(syntax)
      .filter(({ statement }) => {
        const doc = docAbove(syntax, statement);
        const summary = textOf(doc?.text ?? '').split(/\n\s*\n|(?:^|\n)@/)[0] ?? '';
        return !SUMMARY.test(summary.trim());
      })
      .map(({ name, statement }) => ({ path: source.path, line: lineOf(syntax, statement), text: name }));
  });
}
