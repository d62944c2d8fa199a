/** One HTTP answer, as it came over the wire. */
export interface WireAnswer {
  /** 0 if the text does not begin with a status line. */
  status: number;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The body so far, without the framing of chunks; one character for each byte (Latin-1). */
  body: string;
  /** Whether the answer has arrived as long as its headers say. A stream of events is whole when it has begun. */
  isWhole: boolean;
}

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |\r)/;
const HEAD_END = '\r\n\r\n';
const NO_BODY = [204, 304];
/** From this status on an answer is final; those below announce another. */
const FINAL_STATUS = 200;

/**
 * Reads the final answers that a server has sent on one connection.
 *
 * @param text the bytes so far, one character each (Latin-1)
 * @param isHead whether the answers have no body, as to a HEAD request
 * @param isOver whether the server has closed the connection, so that nothing is missing
 */
export function answersIn(text: string, isHead: boolean, isOver: boolean): WireAnswer[] {
  const answers: WireAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const { answer, length } = firstAnswer(rest, isHead, isOver);
    if (answer.status === 0 || answer.status >= FINAL_STATUS) answers.push(answer);
    rest = answer.isWhole ? rest.slice(length) : '';
  }
  return answers;
}

interface Parsed {
  answer: WireAnswer;
  /** The number of characters that the answer takes up. */
  length: number;
}

function firstAnswer(text: string, isHead: boolean, isOver: boolean): Parsed {
  const status = Number(STATUS_LINE.exec(text)?.[1] ?? 0);
  const headEnd = text.indexOf(HEAD_END);
  // HTTP/0.9 has no head: all that comes is the body.
  if (status === 0) return { answer: { status, headers: {}, body: text, isWhole: isOver }, length: text.length };
  if (headEnd === -1) return { answer: { status, headers: {}, body: '', isWhole: false }, length: text.length };
  const headers = headersOf(text.slice(0, headEnd));
  const from = headEnd + HEAD_END.length;
  const { body, chars, isWhole } = bodyOf(text.slice(from), { status, headers, isHead, isOver });
  return { answer: { status, headers, body, isWhole }, length: from + chars };
}

function headersOf(head: string): Record<string, string> {
  const lines = head.split('\r\n').slice(1);
  return Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

interface Framing {
  status: number;
  headers: Readonly<Record<string, string>>;
  isHead: boolean;
  isOver: boolean;
}

function bodyOf(
  text: string,
  { status, headers, isHead, isOver }: Framing,
): { body: string; chars: number; isWhole: boolean } {
  // Broken input may contain a HEAD request of its own. Then the next answer stands where the body would.
  if (isHead || status < FINAL_STATUS || NO_BODY.includes(status) || text.startsWith('HTTP/1.'))
    return { body: '', chars: 0, isWhole: true };
  // The next event of a stream may be minutes away.
  if (headers['content-type']?.startsWith('text/event-stream'))
    return { body: text, chars: text.length, isWhole: true };
  if (headers['transfer-encoding'] === 'chunked') return chunksOf(text);
  const length = headers['content-length'];
  if (length === undefined) return { body: text, chars: text.length, isWhole: isOver };
  const body = text.slice(0, Number(length));
  return { body, chars: body.length, isWhole: body.length === Number(length) };
}

function chunksOf(text: string): { body: string; chars: number; isWhole: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20));
    if (!size) break;
    const from = at + size[0].length;
    const length = Number.parseInt(size[1] ?? '', 16);
    if (text.length < from + length + 2) break;
    body += text.slice(from, from + length);
    at = from + length + 2;
    if (length === 0) return { body, chars: at, isWhole: true };
  }
  return { body, chars: text.length, isWhole: false };
}
