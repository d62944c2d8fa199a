import type { Source } from './checkout.js';
import { parse, textOf } from './syntax.js';
import { titlesOf } from './titles.js';

/** Prose: one comment, one test title, or one document. Code in backticks is blanked. */
export interface Passage {
  kind: 'comment' | 'title' | 'document';
  path: string;
  /** Where the text begins. */
  line: number;
  text: string;
}

/** Returns the prose of a file, by what its name ends in. */
export function passagesOf(source: Source): Passage[] {
  const { path, text } = source;
  if (/\.(ts|js|mjs|cjs)$/.test(path)) return [...comments(source), ...titles(source)];
  if (path.endsWith('.md')) return [{ kind: 'document', path, line: 1, text: blankHeads(blankCode(text)) }];
  if (/\.(lua|sql)$/.test(path)) return lineComments(source, /^[ \t]*--/, /--[ \t]?(.*)$/);
  if (path.endsWith('.prisma')) return lineComments(source, /^[ \t]*\/\//, /\/\/+[ \t]?(.*)$/);
  if (/\.(conf|yml|example)$|Dockerfile$/.test(path)) return lineComments(source, /^[ \t]*#/, /(?:^|\s)#[ \t]?(.*)$/);
  if (/\.(css|html)$/.test(path)) return blockComments(source);
  return [];
}

function titles(source: Source): Passage[] {
  if (!source.path.endsWith('.test.ts')) return [];
  return titlesOf(source).map(({ text, line }) => ({ kind: 'title', path: source.path, line, text }));
}

function comments(source: Source): Passage[] {
  return parse(source).comments.map(({ text, line }) => ({
    kind: 'comment',
    path: source.path,
    line,
    text: blankCode(text.startsWith('/*') ? textOf(text) : text.replace(/(^|\n)[ \t]*\/\/[ \t]?/g, '$1')),
  }));
}

/** Joins the comments of neighbouring lines, like those of a script's header. */
function lineComments({ path, text }: Source, whole: RegExp, comment: RegExp): Passage[] {
  const passages: Passage[] = [];
  let open = false;
  for (const [index, line] of text.split('\n').entries()) {
    const words = comment.exec(line)?.[1];
    const last = passages.at(-1);
    if (words === undefined) open = false;
    else if (open && last && whole.test(line)) last.text += `\n${blankCode(words)}`;
    else {
      passages.push({ kind: 'comment', path, line: index + 1, text: blankCode(words) });
      open = whole.test(line);
    }
  }
  return passages;
}

function blockComments({ path, text }: Source): Passage[] {
  return [...text.matchAll(/\/\*([\s\S]*?)\*\/|<!--([\s\S]*?)-->/g)].map(found => ({
    kind: 'comment',
    path,
    line: text.slice(0, found.index).split('\n').length,
    text: blankCode((found[1] ?? found[2] ?? '').trimStart()),
  }));
}

/** Blanks what is in backticks or fences, and keeps the line breaks. */
export function blankCode(text: string): string {
  const blank = (code: string): string => `code${code.replace(/[^\n]/g, '')}`;
  return text.replace(/```[\s\S]*?```/g, blank).replace(/`[^`]*`/g, blank);
}

/** Blanks headings and the heads of tables: they are no sentences. */
function blankHeads(text: string): string {
  return text.replace(/^#+ .*$/gm, '').replace(/^\|.*\|\n(?=\| *:?-{2,})/gm, '\n');
}
