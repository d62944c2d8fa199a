import { build, type Histogram } from 'hdr-histogram-js';
import { type Connection, openConnection } from './connection.js';
import type { Latency, LoadOutcome, LoadPlan } from './plan.js';
import type { Requests } from './requests.js';

/** Nobody waits longer for the last answers than this, in ms: then the run fails, as it could not be exact. */
const LAST_ANSWERS_MS = 10_000;
const MICROS = 1_000;

/**
 * Sends a crowd at a server and counts every answer.
 *
 * @param plan what the crowd does
 * @param requests its requests
 * @returns what came of it, once the last answer is there
 * @throws Error when a connection breaks or answers don't come: nothing is left out of the counts
 */
export async function runLoad(plan: LoadPlan, requests: Requests): Promise<LoadOutcome> {
  const statuses: Record<string, number> = {};
  let answers = 0;
  let sent = 0;
  let over = false;
  let lastAnswerMs = 0;
  let failed: (error: Error) => void = () => undefined;
  let finished: () => void = () => undefined;
  const finish = new Promise<void>((resolve, reject) => {
    finished = resolve;
    failed = reject;
  });
  const everybodyAsked = () => !plan.again && sent >= requests.count;
  const schedule = plan.perSecond === undefined ? undefined : openSchedule(plan.perSecond);

  const onAnswers = (connection: Connection, got: string[]) => {
    for (const status of got) statuses[status] = (statuses[status] ?? 0) + 1;
    answers += got.length;
    lastAnswerMs = performance.now();
    schedule?.answered(connection, got.length, lastAnswerMs);
    if (!over && !everybodyAsked() && !schedule) send(connection, got.length);
    if ((over || everybodyAsked()) && answers === sent) finished();
  };

  const send = (connection: Connection, wanted: number): void => {
    for (let left = wanted; left > 0 && !everybodyAsked(); ) {
      // Requests that lie next to each other travel in one piece.
      const from = sent % requests.count;
      const count = Math.min(left, requests.count - from);
      sent += count;
      left -= count;
      connection.unanswered += count;
      connection.socket.write(requests.bytes.subarray(from * requests.length, (from + count) * requests.length));
    }
  };

  const connections = await Promise.all(
    Array.from({ length: plan.connections }, () => openConnection(plan.port, onAnswers, error => failed(error))),
  );
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  if (schedule) schedule.start(plan.again ? Number.POSITIVE_INFINITY : requests.count, connections, send, startMs);
  else for (const connection of connections) send(connection, plan.depth);
  const end = setTimeout(() => {
    over = true;
    schedule?.stop();
    if (answers === sent) finished();
  }, plan.seconds * 1_000);
  const limit = setTimeout(
    () => failed(new Error(`${sent - answers} requests were not answered`)),
    plan.seconds * 1_000 + LAST_ANSWERS_MS,
  );
  try {
    await finish;
  } finally {
    clearTimeout(end);
    clearTimeout(limit);
    schedule?.stop();
    failed = () => undefined;
    for (const { socket } of connections) socket.destroy();
  }
  const { user, system } = process.cpuUsage(cpu);
  const latency = schedule?.latency();
  const seconds = (lastAnswerMs - startMs) / 1_000;
  return { statuses, answers, seconds, cpuSeconds: (user + system) / 1e6, ...(latency && { latency }) };
}

type Send = (connection: Connection, wanted: number) => void;

/** Sends on a schedule and measures from the schedule, so that a server that stalls doesn't hide its own queue. */
interface Schedule {
  start(requests: number, connections: Connection[], send: Send, startMs: number): void;
  answered(connection: Connection, count: number, nowMs: number): void;
  stop(): void;
  latency(): Latency;
}

function openSchedule(perSecond: number): Schedule {
  const histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
  const due = new Map<Connection, number[]>();
  const intervalMs = 1_000 / perSecond;
  let timer: NodeJS.Timeout | undefined;
  return {
    start(requests, connections, send, startMs) {
      let next = 0;
      const tick = () => {
        const nowMs = performance.now();
        for (; next < requests && startMs + next * intervalMs <= nowMs; next += 1) {
          const connection = connections[next % connections.length] as Connection;
          const times = due.get(connection) ?? [];
          due.set(connection, times);
          times.push(startMs + next * intervalMs);
          send(connection, 1);
        }
        timer = setTimeout(tick, 1);
      };
      tick();
    },
    answered(connection, count, nowMs) {
      // Answers on one connection come in the order of its requests.
      for (const dueMs of (due.get(connection) ?? []).splice(0, count)) {
        histogram.recordValue(Math.max(1, Math.round((nowMs - dueMs) * MICROS)));
      }
    },
    stop: () => clearTimeout(timer),
    latency() {
      const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / MICROS;
      return { p50: at(50), p99: at(99), p999: at(99.9), max: histogram.maxValue / MICROS };
    },
  };
}
