/** What a crowd does: `count` buyers, each other than the rest, ask one after the other for one path. */
export interface LoadPlan {
  port: number;
  method: 'GET' | 'POST';
  path: string;
  /** The first buyer of the crowd; see {@link buyerName}. */
  first: number;
  count: number;
  /** How often each buyer asks, in direct succession; 1 unless they are impatient. */
  clicks?: number;
  connections: number;
  /** Requests under way on each connection. */
  depth: number;
  /** The run ends after this time, or when everybody has asked. */
  seconds: number;
  /** Whether the crowd starts over when everybody has asked: where a second request costs what the first did. */
  again?: boolean;
  /** Requests start on a fixed schedule, whatever the answers do; without, each waits for an answer. */
  perSecond?: number;
}

/** How long answers took, in ms, counted from the time that the schedule had set for the request. */
export interface Latency {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

/** What came of it: every answer is counted by its status. */
export interface LoadOutcome {
  statuses: Record<string, number>;
  answers: number;
  /** From the first request to the last answer. */
  seconds: number;
  /** CPU time of the generator itself. */
  cpuSeconds: number;
  /** Only of runs with a schedule. */
  latency?: Latency;
}

const DIGITS = 7;

/**
 * @param index a number below ten million
 * @returns the buyer's id; all are of one length, so that all requests are, too
 */
export function buyerName(index: number): string {
  return `buyer-${String(index).padStart(DIGITS, '0')}`;
}
