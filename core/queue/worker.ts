import { Worker } from 'bullmq';
import type { LimitFunction } from 'p-limit';
import { crashPoint } from '../process/crash-point.js';
import type { Redis } from '../redis/connection.js';
import { SECOND_MS, withDeadline } from '../rules/clock.js';
import { JOB_DATA, type JobData, type JobName } from './jobs.js';
import { queuePrefixOf } from './queues.js';

/**
 * Options of BullMQ's workers. Every `stalledInterval` ms, BullMQ looks for jobs whose worker was killed and whose lock
 * has expired. A job fails for good after 10 such stalls instead of BullMQ's 1, since a rolling restart can cause
 * several. `drainDelay`, the longest blocking read in s, stays below the socket time-out.
 */
const WORKER_OPTIONS = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 10, drainDelay: 5 } as const;

/**
 * Time limit for a job, in ms. Each call in a job ends within seconds, so a longer job hangs. Retrying such a job is
 * safe.
 */
const JOB_MS = 60 * SECOND_MS;

/**
 * Receives the outcomes of jobs, for metrics and logs. A failed job does not mean that nothing was done: only Postgres
 * knows what was.
 */
export interface JobObserver {
  onDone(name: JobName, seconds: number): void;
  onFailed(name: JobName, error: Error): void;
  onError(error: Error): void;
}

/** The Redis connection, the limit and the observer of a BullMQ worker. */
export interface JobWorkerOptions {
  /** BullMQ duplicates this connection for its blocking reads. */
  connection: Redis;
  /** Bounds the jobs that run at once. The workers of all servers share it, as their jobs share the connections to Postgres. */
  limit: LimitFunction;
  observer: JobObserver;
}

/**
 * Starts a BullMQ worker, which takes jobs of one name.
 *
 * @param run does one job; it must be idempotent, as a job is delivered at least once
 * @returns the worker; `close()` waits for the jobs in flight
 */
export function startJobWorker<N extends JobName>(
  name: N,
  run: (data: JobData<N>) => Promise<unknown>,
  { connection, limit, observer }: JobWorkerOptions,
): Worker {
  const worker = new Worker(
    name,
    job =>
      limit(async () => {
        const startedAt = performance.now();
        await crashPoint('job.started');
        await withDeadline(run(JOB_DATA[name].parse(job.data) as JobData<N>), JOB_MS, name);
        await crashPoint('job.done');
        observer.onDone(name, (performance.now() - startedAt) / 1_000);
      }),
    { connection, prefix: queuePrefixOf(connection), concurrency: limit.concurrency, ...WORKER_OPTIONS },
  );
  worker.on('failed', (_job, error) => observer.onFailed(name, error));
  worker.on('error', error => observer.onError(error));
  return worker;
}
