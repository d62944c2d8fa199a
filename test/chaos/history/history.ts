import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/**
 * What a client did. `pay-elsewhere` is a payment at the provider, `credit` money put into a wallet from outside, `refund` a refund by
 * the shop's own people.
 */
export type Call = 'buy' | 'order-status' | 'pay' | 'cancel' | 'pay-elsewhere' | 'credit' | 'refund';

/** What is asked for. */
export interface Request {
  call: Call;
  saleId: string;
  buyerId: string;
  amountMinor?: number;
}

/** What came back. */
export interface Reply {
  /** 0: no answer. */
  http: number;
  status?: string;
  code?: string;
  claimId?: string;
  unit?: number;
  reason?: string;
}

/** `ok`: done, as the reply says. `fail`: refused, nothing was done. `info`: unknown, it may have been done or not. */
export type Outcome = 'ok' | 'fail' | 'info';

/** One line of a history. Times are ms since the epoch. */
export type HistoryLine =
  | ({ type: 'invoke'; op: number; atMs: number } & Request)
  | ({ type: Outcome; op: number; atMs: number } & Reply)
  | BankRead
  | { type: 'fault'; atMs: number; fault: string };

/** All money at one instant: what buyers have and the shop has is what was put in and what came through providers. In minor units. */
export interface BankRead {
  type: 'bank';
  /** When it was asked for, and when the answer was there. */
  atMs: number;
  readAtMs: number;
  buyersMinor: number;
  shopMinor: number;
  creditedMinor: number;
  /** What came through providers, less what went back. */
  providerMinor: number;
  /** The least that any buyer has. */
  lowestMinor: number;
}

/** A call with what came of it. */
export interface Operation extends Request, Partial<Reply> {
  op: number;
  outcome: Outcome;
  invokedAtMs: number;
  /** Infinity for one that never came back: it may still be done. */
  endedAtMs: number;
}

/** Writes down what the clients did, as it happens. */
export interface History {
  /**
   * @param request the question
   * @param atMs when it was asked, in ms since the epoch; now if not given
   * @returns tells the outcome, once
   */
  invoke(request: Request, atMs?: number): (outcome: Outcome, reply: Reply) => void;
  note(line: BankRead | { type: 'fault'; atMs: number; fault: string }): void;
  lines(): readonly HistoryLine[];
  close(): Promise<void>;
}

/**
 * @param file where the lines go, one JSON object each; a run that is cut off leaves what it had until then
 * @returns the history
 */
export function openHistory(file: string): History {
  const out = createWriteStream(file);
  const lines: HistoryLine[] = [];
  let ops = 0;
  const add = (line: HistoryLine) => {
    lines.push(line);
    out.write(`${JSON.stringify(line)}\n`);
  };
  return {
    invoke(request, atMs = Date.now()) {
      ops += 1;
      const op = ops;
      add({ type: 'invoke', op, atMs, ...request });
      return (outcome, reply) => add({ type: outcome, op, atMs: Date.now(), ...reply });
    },
    note: add,
    lines: () => lines,
    async close() {
      out.end();
      await finished(out);
    },
  };
}

/** Refusals that say for certain that nothing was done. A 503 doesn't: the claim may have been made, and its reply lost. */
const REFUSALS = new Set([400, 401, 403, 404, 409, 410, 429]);

/**
 * @param http the status of an answer, 0 for none
 * @returns what is known about what was asked for
 */
export function outcomeOf(http: number): Outcome {
  if (http >= 200 && http < 300) return 'ok';
  return REFUSALS.has(http) ? 'fail' : 'info';
}

/**
 * @param lines a history
 * @returns its calls, each with what came of it, in the order in which they began
 */
export function operationsOf(lines: readonly HistoryLine[]): Operation[] {
  const operations = new Map<number, Operation>();
  for (const line of lines) {
    if (line.type === 'bank' || line.type === 'fault') continue;
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

/**
 * @param lines a history
 * @returns every look at all the money
 */
export function bankReadsOf(lines: readonly HistoryLine[]): BankRead[] {
  return lines.filter(line => line.type === 'bank');
}
