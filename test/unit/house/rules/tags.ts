import type { Source } from './checkout.js';
import type { Finding } from './finding.js';
import { type Comment, parse, textOf } from './syntax.js';

/** Words that add nothing of their own to a tag. */
const EMPTY = new Set(
  'both a an the its their his her our this that these those each one any some all and or of to for from with in on as is are be it them which who whose where optional other given'.split(
    ' ',
  ),
);

/** Words that say no more than the short name of a parameter. */
const SYNONYMS: Record<string, string[]> = {
  db: ['database', 'connection', 'transaction', 'postgres'],
  tx: ['database', 'transaction'],
  redis: ['connection', 'client', 'store'],
  ctx: ['context', 'store', 'connection', 'client', 'part', 'queue', 'api', 'worker', 'admin'],
  connection: ['store', 'queue'],
  id: ['identifier'],
  ms: ['millisecond'],
  req: ['request'],
  res: ['response', 'answer'],
  app: ['application', 'express'],
  config: ['configuration', 'setting'],
  saleid: ['sale'],
};

const NOTHING = new Set(['nothing', 'void', 'promise', 'undefined', 'value', 'result']);

interface Tag {
  /** `param`, `returns`, `throws`, … */
  tag: string;
  /** The parameter; empty for other tags. */
  name: string;
  text: string;
  /** Whether it has a type, as in JavaScript: then it says something without any words. */
  isTyped: boolean;
  line: number;
}

/** Finds `@param` and `@returns` that only say again what the names and types say. */
export function tautologicalTags(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const { comments, slice } = parse(source);
    return comments
      .filter(({ text }) => text.startsWith('/**'))
      .flatMap(comment => {
        const signature = signatureOf(slice(comment.end, comment.end + 1_000));
        return tagsOf(comment)
          .filter(tag => saysNothing(tag, signature))
          .map(({ tag, name, text, line }) => ({
            path: source.path,
            line,
            text: ['@', tag, name && ` ${name}`, ' ', text].join(''),
          }));
      });
  });
}

function tagsOf(comment: Comment): Tag[] {
  const tags: Tag[] = [];
  for (const [index, line] of textOf(comment.text).split('\n').entries()) {
    const [, tag, type, words = ''] = /^\s*@(\w+)\s*(\{.*?\}+(?= |$))?\s*(.*)$/.exec(line) ?? [];
    const last = tags.at(-1);
    if (tag) {
      const name = tag === 'param' ? (words.split(/\s+/)[0] ?? '') : '';
      const text = words.slice(name.length).trim();
      tags.push({ tag, name, text, isTyped: type !== undefined, line: comment.line + index });
    } else if (last) last.text = `${last.text} ${line.trim()}`.trim();
  }
  return tags.filter(({ tag }) => tag === 'param' || tag === 'returns');
}

/** The head of the declaration that follows: its name, its parameters' types, its result. */
function signatureOf(code: string): string {
  return code.split(/\/\*\*|\n\n| \{\n| =>|;\n/)[0] ?? '';
}

function saysNothing({ tag, name, text, isTyped }: Tag, signature: string): boolean {
  // A type, or a number like a limit, is something that the name doesn't say.
  if ((isTyped && text === '') || /\d/.test(text)) return false;
  const words = wordsOf(text).filter(word => !EMPTY.has(word));
  const known = new Set([...namesIn(name), ...namesIn(functionName(signature))]);
  const type = tag === 'param' ? typeOf(name, signature) : resultOf(signature);
  for (const word of namesIn(type)) known.add(word);
  return words.every(word => known.has(word) || NOTHING.has(word));
}

const functionName = (signature: string): string =>
  /(?:function\*?|const|class)\s+(\w+)/.exec(signature)?.[1] ?? /^\s*(?:async\s+)?(\w+)[<(]/.exec(signature)?.[1] ?? '';

const typeOf = (name: string, signature: string): string =>
  new RegExp(`\\b${name.replace(/\W/g, '')}\\??:\\s*([\\w<>\\[\\]|. ]+)`).exec(signature)?.[1] ?? '';

const resultOf = (signature: string): string => /\)\s*:\s*([\w<>[\]|., ]+)\s*$/.exec(signature.trim())?.[1] ?? '';

/** The words of names like `saleId` or `Promise<ClaimRecord>`, with what they stand for. */
function namesIn(names: string): string[] {
  const words = wordsOf(names.replace(/([a-z\d])([A-Z])/g, '$1 $2'));
  return [...words, ...words.flatMap(word => SYNONYMS[word] ?? [])];
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replace(/['’]s\b/g, '')
    .split(/[^a-z]+/)
    .filter(word => word !== '')
    .map(singular);

const singular = (word: string): string =>
  word.replace(/ies$/, 'y').replace(/(ss|us|is)$|s$/, (whole, kept: string | undefined) => (kept ? whole : ''));
