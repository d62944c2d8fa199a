import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasOneRequest, lend } from '../http/pipelining.js';

/** The headers of every stream, in the form that costs Node the least: name, value, name, value, ... */
const HEADERS = Object.entries({
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Without this header, nginx holds messages of the stream back until its buffer is full.
  'x-accel-buffering': 'no',
}).flat();

/**
 * What the text of a stream is written to: the connection alone where the stream writes its own chunks, else the
 * response, which writes them.
 */
export type Output = Socket | ServerResponse;

/**
 * Begins the answer of a stream. Node then counts the answer as complete, although its head announces further chunks. So
 * Node forgets request and response, which need more memory than an idle connection. The response stays for HTTP/1.0,
 * for a connection that ends with the answer, and between other requests on it.
 *
 * @param res the response, of which nothing has been sent yet
 * @param text the first text; not empty
 * @param onNextRequest ends the stream, as the next request of the client has arrived on its connection
 */
export function beginOutput(res: ServerResponse, text: string, onNextRequest: () => void): Output {
  const { socket } = res;
  res.writeHead(200, HEADERS);
  if (!(socket && res.chunkedEncoding && res.shouldKeepAlive && hasOneRequest(socket))) {
    res.write(text);
    return res;
  }
  lend(socket, onNextRequest);
  // Without this, Node would end the answer with its last chunk. From now on Node's time-out for an idle connection
  // holds. No silence on a stream is as long.
  res.chunkedEncoding = false;
  res.end(chunkOf(text));
  return socket;
}

/**
 * Sends a stream that ends at once. It is a no-op if the client has disconnected.
 *
 * @param res the response, of which nothing has been sent yet
 */
export function answerWhole(res: ServerResponse, text: string): void {
  if (res.destroyed) return;
  res.writeHead(200, [...HEADERS, 'content-length', String(Buffer.byteLength(text))]);
  res.end(text);
}

/**
 * Sends a text on a stream. It is a no-op if the client has disconnected.
 *
 * @param text not empty
 */
export function sendOn(output: Output, text: string): void {
  if (output.destroyed || !output.writable) return;
  output.write(output instanceof ServerResponse ? text : chunkOf(text));
}

/** Sends a last text on a stream, if it is not empty, and ends the answer. */
export function endOutput(output: Output, text: string): void {
  if (output instanceof ServerResponse) return void output.end(text);
  lend(output, undefined);
  if (output.writable) output.write(text === '' ? LAST_CHUNK : lastChunksOf(text));
}

const LAST_CHUNK = '0\r\n\r\n';
const chunkOf = rememberingOne(textOfChunk);
const lastChunksOf = rememberingOne(text => `${textOfChunk(text)}${LAST_CHUNK}`);

/** Writes a text as a chunk of HTTP/1.1 (RFC 9112, 7.1). */
function textOfChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Returns a function that remembers its last result. The close of a sale is one text for a whole crowd. */
function rememberingOne(written: (text: string) => string): (text: string) => Buffer {
  let last = { text: '', bytes: Buffer.alloc(0) };
  return text => {
    if (text !== last.text) last = { text, bytes: Buffer.from(written(text)) };
    return last.bytes;
  };
}
