import type { Source } from './checkout.js';
import type { Finding } from './finding.js';
import { type Passage, passagesOf } from './passages.js';

/** Words that a stranger has to decode, and plain ones. */
const PHRASES: [RegExp, string][] = [
  [/\bso many\b/gi, 'the number, or "that many"'],
  [/\bso long\b/gi, '"for at most …", "until …", "as long as"'],
  [/\bby now\b/gi, '"already", or nothing'],
  [/\banew\b/gi, '"again", "from scratch"'],
  [/\bfor ever\b/gi, '"forever", "without a limit"'],
  [/\b(goes|go|going|went|gone) on\b/gi, '"continues", "keeps …"'],
  [/\b(is|isn't|are|aren't|be|being) (not )?told\b/gi, '"gets the answer …", "learns", "receives"'],
  [
    /\b(has|have|had|having) (it|them|this|that) (done|made|sent|told|run)\b/gi,
    'the verb itself: "X sends", "asks X to send"',
  ],
  [/\bwho(m|se)?(so)?ever\b/gi, '"a buyer who", "anyone who", "every process that"'],
];

/** The beginning of a passage, a sentence, a paragraph, an item of a list or a cell of a table. */
const BEGINNING = String.raw`(?:^|[.!?]["')*]*\s+|\n\s*\n\s*|\n\s*(?:[-*>]|\d+\.)\s+|\|\s*)`;
const HIDDEN_SUBJECT = new RegExp(`${BEGINNING}(Who|Whose|Whom|Whoever|What|Whatever)\\s`, 'g');
const HIDDEN_SUBJECT_OF_TITLE = /^(who|whose|whom|whoever|what|whatever)\s/gi;

/** Fewer words are a label, like the cell of a table. */
const SENTENCE_WORDS_MIN = 4;

/** Finds phrases of our own dialect in comments, test titles and documents. */
export function bannedPhrases(sources: Source[]): Finding[] {
  return prose(sources).flatMap(passage =>
    PHRASES.flatMap(([pattern, instead]) =>
      [...passage.text.matchAll(overLines(pattern))].map(found =>
        findingOf(passage, found.index, `${quote(found[0])}: ${instead}`),
      ),
    ),
  );
}

/** Finds sentences that begin with Who or What and aren't questions: their subject is hidden in a clause. */
export function hiddenSubjects(sources: Source[]): Finding[] {
  return prose(sources).flatMap(passage => {
    const pattern = passage.kind === 'title' ? HIDDEN_SUBJECT_OF_TITLE : HIDDEN_SUBJECT;
    return [...passage.text.matchAll(pattern)].flatMap(found => {
      const word = found[1] as string;
      const start = found.index + found[0].lastIndexOf(word);
      const sentence = sentenceAt(passage.text, start);
      const isLabel = passage.kind === 'document' && sentence.split(' ').length < SENTENCE_WORDS_MIN;
      if (sentence.endsWith('?') || isLabel) return [];
      return [findingOf(passage, start, quote(sentence))];
    });
  });
}

/** Lets the spaces of a pattern be line breaks as well. */
export function overLines(pattern: RegExp): RegExp {
  return new RegExp(pattern.source.replaceAll(' ', '\\s+'), pattern.flags);
}

function prose(sources: Source[]): Passage[] {
  return sources.flatMap(source => passagesOf(source));
}

/** Reads on to the end of the sentence. */
export function sentenceAt(text: string, start: number): string {
  const rest = text.slice(start);
  const length = rest.search(/[.!?](?=["')*]*(\s|$))|\n\s*\n|\n\s*(?:[-*]|\d+\.)\s|\n@|\s\|/);
  const end = length === -1 ? rest.length : length + 1;
  return rest.slice(0, end).replace(/\s+/g, ' ').trim();
}

export function findingOf({ path, line, text }: Passage, index: number, words: string): Finding {
  return { path, line: line + (text.slice(0, index).match(/\n/g)?.length ?? 0), text: words };
}

export const quote = (text: string): string => `"${text.replace(/\s+/g, ' ')}"`;
