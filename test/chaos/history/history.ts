import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { DrawRead } from './draw-facts.js';

/**
 * A call of a client. `pay-elsewhere` is a payment at the provider. `credit` puts money into a wallet from outside. `refund` is a
 * refund by the shop's operator, and `refund-part` gives a part back.
 */
export type Call = 'buy' | 'order-status' | 'pay' | 'cancel' | 'pay-elsewhere' | 'credit' | 'refund' | 'refund-part';

/** The request of a call. */
export interface Request {
  call: Call;
  saleId: string;
  buyerId: string;
  amountMinor?: number;
  /** Whether a click carries a pass. */
  hasPass?: boolean;
  /** The group in the token of a click. */
  group?: string;
}

/** The reply to a call. */
export interface Reply {
  /** The HTTP status; 0 for no answer. */
  http: number;
  status?: string;
  code?: string;
  claimId?: string;
  unit?: number;
  reason?: string;
  /** The number of an entry whose receipt came with the reply. */
  entry?: number;
  /** Whether the receipt of the claim came with the reply. */
  hasReceipt?: boolean;
}

/** Tells whether a call took effect. `ok`: yes, as the reply says. `fail`: no. `info`: unknown, because the reply is missing. */
export type Outcome = 'ok' | 'fail' | 'info';

/** One line of a history. Times are in ms since the epoch. */
export type HistoryLine =
  | ({ type: 'invoke'; op: number; atMs: number } & Request)
  | ({ type: Outcome; op: number; atMs: number } & Reply)
  | BankRead
  | DrawRead
  | { type: 'fault'; atMs: number; fault: string };

/**
 * All money at one instant, in minor units. Buyers and shop together have the money that was put in and the money that came through
 * providers.
 */
export interface BankRead {
  type: 'bank';
  /** The time of the question, and the time of its answer. */
  atMs: number;
  readAtMs: number;
  buyersMinor: number;
  shopMinor: number;
  creditedMinor: number;
  /** The money that came through providers, less the money that went back. */
  providerMinor: number;
  /** The lowest balance of a buyer. */
  lowestMinor: number;
}

/** A call with its reply. */
export interface Operation extends Request, Partial<Reply> {
  op: number;
  outcome: Outcome;
  invokedAtMs: number;
  /** Infinity for a call without a reply: it may still take effect. */
  endedAtMs: number;
}

/** Records the outcome of a call, once. */
export type Complete = (outcome: Outcome, reply: Reply) => void;

/** Records the calls of the clients and the faults as they happen, in memory and in a file. */
export class History {
  readonly #file: WriteStream;
  readonly #lines: HistoryLine[] = [];
  #ops = 0;

  /** Creates a history. Its file has one JSON object a line, and survives a run that is cut off. */
  constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  /**
   * Records that a call begins.
   *
   * @param atMs in ms since the epoch; now if not given
   */
  invoke(request: Request, atMs = Date.now()): Complete {
    this.#ops += 1;
    const op = this.#ops;
    this.note({ type: 'invoke', op, atMs, ...request });
    return (outcome, reply) => this.note({ type: outcome, op, atMs: Date.now(), ...reply });
  }

  /** Records a line. */
  note(line: HistoryLine): void {
    this.#lines.push(line);
    this.#file.write(`${JSON.stringify(line)}\n`);
  }

  /** Returns all lines so far. */
  lines(): readonly HistoryLine[] {
    return this.#lines;
  }

  /** Ends the file. */
  async close(): Promise<void> {
    this.#file.end();
    await finished(this.#file);
  }
}

/** Statuses that prove a call without effect. A 503 doesn't: the claim may have been made, and its reply lost. */
const REFUSALS = new Set([400, 401, 403, 404, 409, 410, 429]);

/**
 * Tells what a status proves about a call.
 *
 * @param http 0 for no answer
 */
export function outcomeOf(http: number): Outcome {
  if (http >= 200 && http < 300) return 'ok';
  return REFUSALS.has(http) ? 'fail' : 'info';
}

/** Joins calls and replies to operations, in the order in which the calls began. */
export function operationsOf(lines: readonly HistoryLine[]): Operation[] {
  const operations = new Map<number, Operation>();
  for (const line of lines) {
    if (line.type === 'bank' || line.type === 'draw' || line.type === 'fault') continue;
    if (line.type === 'invoke') {
      const { type: _, atMs, ...request } = line;
      operations.set(line.op, { ...request, outcome: 'info', invokedAtMs: atMs, endedAtMs: Number.POSITIVE_INFINITY });
      continue;
    }
    const operation = operations.get(line.op);
    if (!operation) throw new Error(`operation ${line.op} ends but never began`);
    const { type, atMs, ...reply } = line;
    operations.set(line.op, { ...operation, ...reply, outcome: type, endedAtMs: atMs });
  }
  return [...operations.values()];
}

/** Returns every read of all money. */
export function bankReadsOf(lines: readonly HistoryLine[]): BankRead[] {
  return lines.filter(line => line.type === 'bank');
}

/** Returns every read of a draw. */
export function drawReadsOf(lines: readonly HistoryLine[]): DrawRead[] {
  return lines.filter(line => line.type === 'draw');
}
