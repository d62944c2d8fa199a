import type { Source } from './checkout.js';
import { exportsOf } from './exports.js';
import type { Finding } from './finding.js';
import { type Passage, passagesOf } from './passages.js';
import { findingOf, overLines, quote } from './phrases.js';
import { lineOf, type Node, nodesOf, parse } from './syntax.js';

/** A word that has one meaning (ARCHITECTURE.md, "The words"). */
interface Meaning {
  word: RegExp;
  /** The kinds of prose and names in which the word is looked for. */
  in: ('identifier' | 'comment' | 'title')[];
  /** The files that the rule is about; all when missing. */
  files?: RegExp;
  /** The files whose subject the word is. */
  notIn?: RegExp;
  instead: string;
}

const EVERYWHERE: Meaning['in'] = ['identifier', 'comment', 'title'];
const PROSE: Meaning['in'] = ['comment', 'title'];

const MEANINGS: Meaning[] = [
  {
    // The job `settle-receipt` is published. `settlement` is the sale's setting, `allSettled` is JavaScript's.
    word: /(?<!all|all-)settl(?!ements?(?![a-z])|e[-_ ]?receipt)\w*/gi,
    in: EVERYWHERE,
    instead: '"decide", "apply", "resolve" (a promise), "come to rest"; settlement is the setting of a sale',
  },
  {
    word: /(?<!worker's )watch-?dog/gi,
    in: EVERYWHERE,
    notIn: /^apps\/worker\/|^test\/unit\/apps\/watchdog|^test\/chaos\/links/,
    instead: '"reaper" for the end of orphans; the watchdog is the worker\'s',
  },
  {
    word: /outbox(?!_events\b)/gi,
    in: EVERYWHERE,
    files: /^core\/postgres\//,
    instead: '"delivery": a release or a shop notice that Postgres still has to hand on; the outbox is in Redis',
  },
  {
    word: /event/gi,
    in: EVERYWHERE,
    files: /^core\/process\/telemetry/,
    instead: '"occurrence", "signal", or the thing itself; an event is a payment provider\'s',
  },
  {
    word: /\b(?:a|an|the|this|that|one|two|each|every|its|their|another|same|first|last|no|which|some|any|all) places?\b(?!-| orders?\b)/gi,
    in: PROSE,
    instead: '"position" on standby, "address", "crash point", "spot"; to place is to make a claim an order',
  },
  { word: /\bshould\b/gi, in: ['title'], instead: 'what is, in the present tense' },
];

/** Finds words that are used in a second meaning. */
export function secondMeanings(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const rules = MEANINGS.filter(
      ({ files, notIn }) => (files?.test(source.path) ?? true) && !notIn?.test(source.path),
    );
    if (rules.length === 0) return [];
    const passages = passagesOf(source).filter(({ kind }) => kind !== 'document');
    return [...passages.flatMap(passage => inPassage(passage, rules)), ...inIdentifiers(source, rules)];
  });
}

function inPassage(passage: Passage, meanings: Meaning[]): Finding[] {
  const rules = meanings.filter(({ in: kinds }) => kinds.some(kind => kind === passage.kind));
  return rules.flatMap(({ word, instead }) =>
    [...passage.text.matchAll(overLines(word))].map(found =>
      findingOf(passage, found.index, `${quote(found[0])}: ${instead}`),
    ),
  );
}

function inIdentifiers(source: Source, meanings: Meaning[]): Finding[] {
  const rules = meanings.filter(({ in: kinds }) => kinds.includes('identifier'));
  return identifiersOf(source).flatMap(({ name, line }) =>
    rules.flatMap(({ word, instead }) =>
      name.search(word) === -1 ? [] : [{ path: source.path, line, text: `${name}: ${instead}` }],
    ),
  );
}

/** Every name once, at its first line. */
function identifiersOf(source: Source): { name: string; line: number }[] {
  if (!/\.(ts|js)$/.test(source.path)) return [];
  const syntax = parse(source);
  const first = new Map<string, number>();
  for (const node of nodesOf(syntax, 'Identifier')) {
    const name = node.value as string;
    if (!first.has(name)) first.set(name, lineOf(syntax, node));
  }
  return [...first].map(([name, line]) => ({ name, line }));
}

/** Names that begin with another verb than the house's for making and for reading. */
const VERBS: [RegExp, string][] = [
  [
    // The step keep-entries is named after its job.
    /^(make|hold|keep(?!(All)?Entries)|watch)[A-Z]/,
    '"create…" in memory, "connect…" for the client of a store, "start…" for what must be stopped',
  ],
  [
    /^open(?!\w*(Sale|Wallet|Account))[A-Z]/,
    '"create…", "connect…" or "start…"; a sale, a wallet or an account is opened',
  ],
  [/^(get|fetch|find|query)[A-Z]/, '"read…" for every read of a store'],
];

/** Finds exported functions with another verb for making or reading than the house's. */
export function foreignVerbs(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    return exportsOf(syntax)
      .filter(({ declaration }) => isFunction(declaration))
      .flatMap(({ name, statement }) =>
        VERBS.filter(([pattern]) => pattern.test(name)).map(([, instead]) => ({
          path: source.path,
          line: lineOf(syntax, statement),
          text: `${name}: ${instead}`,
        })),
      );
  });
}

function isFunction(declaration: Node): boolean {
  if (declaration.type === 'FunctionDeclaration') return true;
  if (declaration.type !== 'VariableDeclaration') return false;
  return (declaration.declarations as { init?: Node }[]).some(({ init }) => init?.type === 'ArrowFunctionExpression');
}

/** Finds types whose name ends in Place. */
export function placeTypes(sources: Source[]): Finding[] {
  return sources.flatMap(source => {
    const syntax = parse(source);
    return nodesOf(syntax, 'TsInterfaceDeclaration', 'TsTypeAliasDeclaration', 'ClassDeclaration').flatMap(node => {
      const name = String(((node.id ?? node.identifier) as { value?: unknown }).value);
      return /Places?$/.test(name) ? [{ path: source.path, line: lineOf(syntax, node), text: name }] : [];
    });
  });
}
