import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { checkout } from '#core/process/checkout.js';
import { PROBLEMS } from '#core/rules/errors.js';
import type { Input } from '../inputs/input.js';
import type { WireAnswer } from './answer.js';
import type { Exchange } from './exchange.js';

const ERROR_STATUS = 400;
const SERVER_ERROR = 500;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Titles of all our pages: of the page for buyers, of the console, of the board, and of nginx's own answers. */
const TITLES = [/\bDropline\b/, ...Object.values(PROBLEMS).map(({ title }) => new RegExp(`^${title}$`))];

/** Traces of our insides, which no answer may show. */
const INSIDES = [/\n\s+at \S+ \(?\S+:\d+:\d+\)?/, /node_modules/, /\bnginx\/\d/, /<center>nginx/, /X-Powered-By/i];

/**
 * Checks the answers to one input.
 *
 * @param secrets texts that no answer may contain
 * @returns what is wrong, in words; undefined when nothing is
 */
export function mistakeIn(input: Input, { answers, hung }: Exchange, secrets: readonly string[]): string | undefined {
  if (hung) return 'no answer, and the connection stays open';
  if (input.isWhole && answers.length === 0) return 'a whole request gets no answer';
  for (const answer of answers.map(unpacked)) {
    const mistake = mistakeInAnswer(input, answer) ?? leakIn(answer, secrets);
    if (mistake) return mistake;
  }
  return undefined;
}

const UNPACK: Readonly<Record<string, (packed: Buffer) => Buffer>> = { gzip: gunzipSync, br: brotliDecompressSync };

/** Decompresses a body, as far as it is whole. */
function unpacked(answer: WireAnswer): WireAnswer {
  const { headers, body, isWhole } = answer;
  const unpack = UNPACK[headers['content-encoding'] ?? ''];
  if (!unpack || !isWhole || body === '') return answer;
  return { ...answer, body: unpack(Buffer.from(body, 'latin1')).toString('latin1') };
}

function mistakeInAnswer({ door, isWhole, isHead }: Input, answer: WireAnswer): string | undefined {
  const { status, headers } = answer;
  if (status >= SERVER_ERROR && !saysNotReady(answer)) return `status ${status}`;
  // Broken input may spoil its method, so that the answer to it has no body and we wait for one.
  if (!answer.isWhole) return isWhole ? `half an answer (${status})` : undefined;
  if (isHead || REDIRECTS.includes(status)) return undefined;
  // Broken input may be a HEAD request, too.
  if (answer.body === '') return isWhole && status >= ERROR_STATUS ? `status ${status} without a body` : undefined;
  const type = headers['content-type'] ?? '';
  if (status !== 0 && headers['x-content-type-options'] !== 'nosniff') return `status ${status} without nosniff`;
  if (type.startsWith('application/problem+json')) return mistakeInProblem(answer);
  if (type.startsWith('text/html')) return mistakeInPage(answer);
  if (status >= ERROR_STATUS && !(door === 'admin' && isOfBoard(answer)) && !saysNotReady(answer))
    return `status ${status} is ${type || 'of no type'}, neither a problem document nor a page`;
  if (status === 0 || type.startsWith('application/json')) return mistakeInText(answer);
  return undefined;
}

/** A probe that finds a store slow says so. On a busy machine that is no defect. */
function saysNotReady({ status, body }: WireAnswer): boolean {
  return status === 503 && body.startsWith('{"status":"not_ready"');
}

/** bull-board answers its own page in its own form. Only operators get there. */
function isOfBoard({ headers, body }: WireAnswer): boolean {
  return headers['content-type']?.startsWith('application/json') === true && body.startsWith('{"error":');
}

function mistakeInProblem({ status, body }: WireAnswer): string | undefined {
  const { code } = (jsonOf(body) ?? {}) as { code?: keyof typeof PROBLEMS };
  return code && PROBLEMS[code]?.status === status ? undefined : `status ${status} with the code ${code}`;
}

function mistakeInPage({ status, body }: WireAnswer): string | undefined {
  const title = /<title>([^<]*)<\/title>/.exec(body)?.[1] ?? '';
  return TITLES.some(ours => ours.test(title)) ? undefined : `status ${status} with a page that is not ours: ${title}`;
}

/** A text of ours without a media type, as HTTP/0.9 has none, is JSON or a page. */
function mistakeInText(answer: WireAnswer): string | undefined {
  if (jsonOf(answer.body) !== undefined) return undefined;
  return answer.status === 0 && answer.body.includes('<title>') ? mistakeInPage(answer) : 'an answer that is no JSON';
}

function leakIn({ headers, body }: WireAnswer, secrets: readonly string[]): string | undefined {
  const text = `${Object.entries(headers).flat().join('\n')}\n${body}`;
  if (/^(?:text|application)\/(?:css|javascript)/.test(headers['content-type'] ?? '')) return undefined;
  if ([checkout, ...secrets].some(secret => text.includes(secret))) return 'a secret or a path of this machine';
  const inside = INSIDES.find(pattern => pattern.test(text));
  return inside ? `the answer shows our insides (${inside})` : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
