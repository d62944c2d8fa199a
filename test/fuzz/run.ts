import { setTimeout as pause } from 'node:timers/promises';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { residentBytes } from '../../bench/measure/cpu.js';
import { percentile } from '../support/percentile.js';
import { type Exchange, exchange } from './answers/exchange.js';
import { mistakeIn } from './answers/mistake.js';
import { type HonestTally, visitHonestly } from './honest.js';
import type { Door } from './inputs/ground.js';
import { type Input, inputAt } from './inputs/input.js';
import type { FuzzOptions } from './options.js';
import { ProcessLog } from './process-log.js';
import { type Rig, startRig } from './rig.js';

/** Inputs in flight at once. They keep two cores busy without a queue that would hide how long an answer takes. */
const LANES = 24;

/** Between two readings of the processes' memory, in ms. */
const MEMORY_MS = 500;

/** No process may need more memory, in bytes. The largest was measured at 264 MB after 64,000 inputs. */
const MEMORY_MAX = 512 * 1_024 * 1_024;

/** After this many findings a run ends, as the rest rarely tells more. */
const FINDINGS_MAX = 50;

/** One defect, and the input that showed it if a single one did. */
export interface Finding {
  text: string;
  number?: number;
  input?: Input;
}

/** The summary of a run. */
export interface FuzzResult {
  seed: number;
  inputs: number;
  seconds: number;
  /** The number of answers by door and status; `none` counts inputs on which the server hung up. */
  answers: Record<Door, Record<string, number>>;
  slowestMs: number;
  /** Requests of honest people beside the inputs. */
  honest: { sent: number; p99Ms: number };
  memoryMaxMegabytes: number;
  logLines: number;
  findings: Finding[];
}

/** Returns the exit code of a run: 0 without a finding. */
export function exitCodeOf({ findings }: Pick<FuzzResult, 'findings'>): 0 | 1 {
  return findings.length === 0 ? 0 : 1;
}

/** A run under way. */
interface Run {
  options: FuzzOptions;
  rig: Rig;
  answers: FuzzResult['answers'];
  findings: Finding[];
  sent: number;
  slowestMs: number;
}

/**
 * Sends odd inputs to nginx, an API and the admin, and checks every answer, the processes and honest requests beside them.
 *
 * @param tell receives one line for each stage of the run
 */
export async function runFuzz(options: FuzzOptions, tell: (line: string) => void): Promise<FuzzResult> {
  const log = new ProcessLog();
  const died: string[] = [];
  const rig = await startRig(log, line => died.push(line));
  try {
    tell(`seed ${options.seed}: the processes run`);
    const run: Run = { options, rig, answers: { nginx: {}, api: {}, admin: {} }, findings: [], sent: 0, slowestMs: 0 };
    const over = new AbortController();
    const honest = visitHonestly(rig, over.signal);
    const memory = watchMemory(rig, over.signal);
    const errorsBefore = rig.edge.errors().length;
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: LANES }, () => sendInputs(run, startedAt)));
    const seconds = (performance.now() - startedAt) / SECOND_MS;
    over.abort();
    const [tally, bytes] = await Promise.all([honest, memory]);
    const defects = [
      ...died,
      ...log.defects,
      ...rig.edge.errors().slice(errorsBefore).split('\n').filter(Boolean),
      ...tally.failed,
    ];
    if (bytes > MEMORY_MAX) defects.push(`a process needed ${bytes} bytes of memory`);
    return summary(run, { seconds, tally, bytes, lines: log.lines, defects });
  } finally {
    await rig.stop();
  }
}

/** Sends one input after the other until the run is over. Each lane takes the next number. */
async function sendInputs(run: Run, startedAt: number): Promise<void> {
  const { options, rig } = run;
  const endsAt = startedAt + options.minutes * MINUTE_MS;
  while (run.sent < options.inputs && performance.now() < endsAt && run.findings.length < FINDINGS_MAX) {
    const number = run.sent;
    run.sent += 1;
    const input = inputAt(options.seed, number, rig.ground);
    const result = await exchange(rig.ports[input.door], input);
    note(run, input, result);
    const { authSecret, adminToken, webhookSecret } = rig.ground.secrets;
    const text = mistakeIn(input, result, [authSecret, adminToken, webhookSecret]);
    if (text) run.findings.push({ text: `${input.door}: ${text}`, number, input });
  }
}

function note(run: Run, { door, isLeftOpen }: Input, { answers, tookMs }: Exchange): void {
  const counts = run.answers[door];
  const statuses = answers.length > 0 ? answers.map(({ status }) => String(status)) : ['none'];
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  if (!isLeftOpen) run.slowestMs = Math.max(run.slowestMs, tookMs);
}

/** Reads the memory of each process until it is stopped. @returns the largest reading, in bytes */
async function watchMemory({ processes }: Pick<Rig, 'processes'>, signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    for (const { pid } of processes) most = Math.max(most, residentBytes(pid() ?? 0) || 0);
    await pause(MEMORY_MS, undefined, { signal }).catch(() => undefined);
  }
  return most;
}

interface Observed {
  seconds: number;
  tally: HonestTally;
  bytes: number;
  lines: number;
  defects: string[];
}

function summary(run: Run, { seconds, tally, bytes, lines, defects }: Observed): FuzzResult {
  return {
    seed: run.options.seed,
    inputs: run.sent,
    seconds: Math.round(seconds),
    answers: run.answers,
    slowestMs: Math.round(run.slowestMs),
    honest: { sent: tally.sent, p99Ms: Math.round(percentile(tally.tookMs, 0.99)) },
    memoryMaxMegabytes: Math.round(bytes / 1_024 / 1_024),
    logLines: lines,
    findings: [...run.findings, ...defects.slice(0, FINDINGS_MAX).map(text => ({ text }))],
  };
}
