/** A crowd: `count` buyers, all different, ask one after the other. */
export interface LoadPlan {
  port: number;
  method: 'GET' | 'POST';
  /** The path that the buyers ask for. Several ones, all of one length, take turns. */
  path: string | readonly string[];
  /** The number of the first buyer; see {@link buyerName}. */
  first: number;
  count: number;
  /** How often each buyer asks in direct succession; 1 if not given. */
  clicks?: number;
  connections: number;
  /** Requests in flight on each connection. */
  depth: number;
  /** The run ends after this time, in s, or when every buyer has asked. */
  seconds: number;
  /** The crowd starts over when every buyer has asked. Only for requests whose repetition costs the same. */
  again?: boolean;
  /** Requests start at this fixed rate, whatever the answers do. Without a rate each request waits for an answer. */
  perSecond?: number;
  /** Each buyer's token names a group of the buyer's own. */
  grouped?: boolean;
  /** Each buyer has a pass for this sale, signed with this secret, which may be another one than the API's. */
  pass?: { saleId: string; secret: string; usefulAtMs: number };
}

/** How long answers took, in ms, counted from the scheduled time of each request. */
export interface Latency {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

/** The result of a run. Every answer is counted by its status. */
export interface LoadOutcome {
  statuses: Record<string, number>;
  answers: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** CPU time of the generator itself. */
  cpuSeconds: number;
  /** Only of runs at a fixed rate. */
  latency?: Latency;
}

const DIGITS = 7;

/**
 * Names a buyer. All names have one length, so all requests have one length, too.
 *
 * @param index below ten million
 */
export function buyerName(index: number): string {
  return `buyer-${String(index).padStart(DIGITS, '0')}`;
}
