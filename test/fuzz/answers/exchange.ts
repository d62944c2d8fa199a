import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Input } from '../inputs/input.js';
import { answersIn, type WireAnswer } from './answer.js';

/**
 * The longest time for an answer, in ms. The API's own limits are 5 s for the head and 10 s for a whole request, nginx's
 * 12 s for a body, and a client may ask to wait for 1 s more.
 */
const PATIENCE_MS = 15 * SECOND_MS;

/** After broken input a server may wait for more. The client then says, after this silence, that nothing comes, in ms. */
const SILENCE_MS = 250;

/** After the answer to broken input another one may follow, within this time in ms. */
const FOLLOWING_MS = 10;

/** Between the first part of an input that is sent in two parts and the rest, in ms. */
const SPLIT_MS = 3;

/** The result of sending one input. */
export interface Exchange {
  answers: WireAnswer[];
  /** Whether the server has said nothing final and not closed the connection within {@link PATIENCE_MS}. */
  hung: boolean;
  /** From the connection to the last byte, in ms. */
  tookMs: number;
}

/** Sends one input on a connection of its own, and collects the answers. It never rejects. */
export function exchange(port: number, input: Input): Promise<Exchange> {
  const startedAt = performance.now();
  let text = '';
  let isOver = false;
  let hung = false;
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => void send(socket, input));
    socket.setEncoding('latin1');
    const patience = setTimeout(() => {
      hung = true;
      socket.destroy();
    }, PATIENCE_MS);
    // A whole request gets an answer, however late. After broken input the server may wait for more.
    let silence = input.isWhole || input.isLeftOpen ? undefined : setTimeout(() => socket.end(), SILENCE_MS);
    socket.on('data', chunk => {
      text += chunk;
      clearTimeout(silence);
      const isAnswered = answersIn(text, input.isHead, isOver).at(-1)?.isWhole;
      if (isAnswered && input.isWhole) socket.destroy();
      else if (isAnswered) silence = setTimeout(() => socket.destroy(), FOLLOWING_MS);
      else if (!input.isWhole) silence = setTimeout(() => socket.end(), SILENCE_MS);
    });
    socket.on('end', () => {
      isOver = true;
    });
    // A server may close while we send: the answer that came before counts, or that there is none.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(patience);
      clearTimeout(silence);
      const answers = answersIn(text, input.isHead, isOver);
      resolve({ answers, hung: hung && !answers.at(-1)?.isWhole, tookMs: performance.now() - startedAt });
    });
  });
}

async function send(socket: Socket, { text, firstChars }: Input): Promise<void> {
  socket.write(text.slice(0, firstChars), 'latin1');
  if (firstChars >= text.length) return;
  await pause(SPLIT_MS);
  if (socket.writable) socket.write(text.slice(firstChars), 'latin1');
}
