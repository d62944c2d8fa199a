import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { type LookUp, type LookUpParts, needsLookUp, newReceiptOf, type Question } from '../answers/look-up.js';
import { answerText } from '../answers/order-answer.js';
import type { Backpressure } from '../answers/poll.js';
import type { Statuses } from '../batching/status-batch.js';
import type { RecentSale, Sales } from '../mirror/sales.js';
import type { BuyerWaiters } from './buyer-waiters.js';
import { answerWhole, beginOutput, endOutput, type Output, sendOn } from './output.js';
import { answerTrouble, RETRY_MS } from './trouble.js';
import type { Standing } from './waiter.js';

/**
 * A stream that was silent for this long gets a comment when it next reads its status, in ms. It reads every 5 s
 * (apps/api/waiting/waiters.ts), so the longest silence is 15 s. Proxies cut off a connection after 30 to 60 s.
 */
const SILENT_MS = 10 * SECOND_MS;

/** The longest duration of a stream, in ms. The browser then opens the next one, with a token that is still valid. */
const STREAM_MS = 10 * MINUTE_MS;

/**
 * The last message on a stream that later waits of its buyer have replaced. A client polls from then on. One that
 * reconnects instead does so after half a minute, so that many tabs seldom replace each other.
 */
const REPLACED = `retry: ${30 * SECOND_MS}\nevent: replaced\ndata: {}\n\n`;

/**
 * The id of the last message on a stream, about an order's final status. A browser that reconnects with this id gets
 * 204 and stops.
 */
export const FINAL_ID = 'final';

const BEGINNING = `retry: ${RETRY_MS}\n\n`;
const COMMENT = ':\n\n';

/** Matches the pause before the next poll in an answer. Only the answer about a final status has none. */
const POLL_AFTER = /"pollAfterMs":\d+,?/;

/** The parts of the API that a stream reads its status with. */
export interface ReadParts {
  readonly lookUp: LookUp;
  readonly receiptKeys: LookUpParts['receiptKeys'];
  readonly sales: Pick<Sales, 'ask'>;
  readonly statuses: Pick<Statuses, 'ask'>;
  readonly load: Backpressure;
}

/** A stream that is about to open: its request and response, and its waiter's tick and end. */
export interface Opening {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly question: Question;
  readonly tick: number;
  readonly onLeave: () => void;
}

/**
 * A stream of an order's status, a waiter of its buyer. Between two statuses it consists of this object and its
 * connection: no promise, no timer, and rarely a response. It reads its status when it is woken.
 */
export class StandingStream implements Standing {
  readonly tick: number;
  readonly #parts: ReadParts;
  readonly #question: Question;
  readonly #socket: Socket;
  readonly #onLeave: () => void;
  readonly #leave = () => this.leave();
  readonly #endsAtMs = performance.now() + STREAM_MS;
  /** The response, until the first status is sent. */
  #res: ServerResponse | undefined;
  /** From then on. */
  #output: Output | undefined;
  #ofBuyer: BuyerWaiters | undefined;
  /** The answer that was read last. */
  #known = '';
  #sentAtMs = 0;
  /** Whether news has to wait: until the status is read, or until the client has read what was sent. */
  #isBusy = true;
  #hasNews = false;
  /** The text with which the stream ends, once it is to end. */
  #end: string | undefined;

  constructor(parts: ReadParts, { req, res, question, tick, onLeave }: Opening) {
    this.tick = tick;
    this.#parts = parts;
    this.#question = question;
    this.#socket = req.socket;
    this.#res = res;
    this.#onLeave = onLeave;
  }

  /**
   * Reads and sends the first status.
   *
   * @param ofBuyer the waiters of the same buyer
   */
  start(ofBuyer: BuyerWaiters): void {
    this.#ofBuyer = ofBuyer;
    // A client that disconnected while the sale was read tells nobody any more.
    if (this.#socket.destroyed) return void this.leave();
    this.#socket.on('close', this.#leave);
    this.#read();
  }

  /** Tells the stream that there may be news of its buyer. */
  wake(): void {
    if (this.#isBusy) this.#hasNews = true;
    else this.#read();
  }

  /** Ends the stream, but not before its first status. A second call is a no-op. */
  leave(): void {
    this.#stop('');
  }

  /** Ends the stream like {@link leave}, as the buyer has opened too many later ones. */
  replace(): void {
    this.#stop(REPLACED);
  }

  #stop(lastText: string): void {
    if (this.#end !== undefined) return;
    this.#end = lastText;
    this.#onLeave();
    this.#socket.off('close', this.#leave);
    if (this.#output) endOutput(this.#output, lastText);
  }

  #read(): void {
    this.#isBusy = true;
    this.#hasNews = false;
    this.#parts.sales.ask(this.#question.saleId, (sale, error) => {
      if (sale) this.#readIn(sale);
      else this.#fail(error);
    });
  }

  #readIn(sale: RecentSale): void {
    const { statuses, load, receiptKeys } = this.#parts;
    const { saleId, buyerId } = this.#question;
    const asked = { askedAtMs: performance.now(), slowdown: load.slowdown };
    const accepted = statuses.ask(saleId, buyerId, (known, error) => {
      if (!known) this.#fail(error);
      else if (needsLookUp(this.#question, sale, known)) this.#lookUp();
      else {
        const newReceipt = newReceiptOf(receiptKeys, this.#question, known);
        this.#tell(answerText(sale, known, { ...asked, newReceipt }).text);
      }
    });
    if (!accepted) this.#fail(new Problem('too_many_requests', { retryAfterSeconds: 1 }));
  }

  /** Reads the status slowly, once for all waiters of the buyer. */
  #lookUp(): void {
    const look = () => this.#parts.lookUp(this.#question);
    const seen = this.#ofBuyer?.look(this.#question.receipt, look);
    seen?.then(({ text }) => this.#tell(text)).catch(error => this.#fail(error));
  }

  /** Sends an answer that was read, if it is news. */
  #tell(text: string): void {
    if (this.#res) return void this.#begin(this.#res, text);
    const output = this.#output;
    if (!output || this.#end !== undefined) return;
    const isNews = withoutPause(text) !== withoutPause(this.#known);
    this.#known = text;
    if (isFinal(text)) return void this.#stop(eventOf(text));
    if (isNews) this.#send(output, eventOf(text));
    else if (performance.now() - this.#sentAtMs >= SILENT_MS) this.#send(output, COMMENT);
    this.#rest(output);
  }

  /** Sends the first answer. */
  #begin(res: ServerResponse, text: string): void {
    this.#res = undefined;
    if (this.#socket.destroyed) return;
    if (isFinal(text)) this.leave();
    const beginning = BEGINNING + eventOf(text);
    if (this.#end !== undefined) return void answerWhole(res, beginning + this.#end);
    this.#known = text;
    this.#sentAtMs = performance.now();
    this.#output = beginOutput(res, beginning, this.#leave);
    this.#rest(this.#output);
  }

  #send(output: Output, text: string): void {
    this.#sentAtMs = performance.now();
    sendOn(output, text);
  }

  /**
   * Waits for news. A client that is slow to read gets no more until it has read everything, so unread text doesn't fill
   * the memory of this process.
   */
  #rest(output: Output): void {
    if (performance.now() >= this.#endsAtMs) return void this.leave();
    if (output.writableNeedDrain) output.once('drain', () => this.#continue());
    else this.#continue();
  }

  #continue(): void {
    this.#isBusy = false;
    if (this.#hasNews && this.#end === undefined) this.#read();
  }

  #fail(error: unknown): void {
    const output = this.#res ?? (this.#end === undefined ? this.#output : undefined);
    this.#res = undefined;
    this.#output = undefined;
    this.leave();
    if (output && !this.#socket.destroyed) answerTrouble(output, error);
  }
}

/** Returns whether an answer is about a status that can't change without another click. */
function isFinal(text: string): boolean {
  return !POLL_AFTER.test(text);
}

function eventOf(text: string): string {
  const id = isFinal(text) ? `id: ${FINAL_ID}\n` : '';
  return `event: status\n${id}data: ${text}\n\n`;
}

/**
 * Returns the part of an answer whose change is worth a message on the stream. A better position on standby counts;
 * another pause before the next poll does not.
 */
function withoutPause(text: string): string {
  return text.replace(POLL_AFTER, '');
}
