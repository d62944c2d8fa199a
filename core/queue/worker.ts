import { Worker } from 'bullmq';
import { crashPoint } from '../process/crash-point.js';
import type { Redis } from '../redis/connection.js';
import { SECOND_MS, withDeadline } from '../rules/clock.js';
import { JOB_DATA, type JobData, type JobName } from './jobs.js';
import { QUEUE_PREFIX } from './queues.js';

/**
 * A worker that was killed is noticed within `stalledInterval`; 10 stalls before a job is given up, as a rolling restart
 * stalls a job more than once and BullMQ's default of 1 fails it for ever. `drainDelay` stays below the socket's timeout.
 */
const WORKER_OPTIONS = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 10, drainDelay: 5 } as const;

/**
 * What a job may take, in ms. Every call in it ends within seconds, so one that takes longer hangs; it is tried again, which is
 * safe, and does not hold its place for ever.
 */
const JOB_MS = 60 * SECOND_MS;

/** Told of what happens to jobs. A failed job compensates nothing: Postgres decides what is true. */
export interface JobObserver {
  onDone(name: JobName, seconds: number): void;
  onFailed(name: JobName, error: Error): void;
  onError(error: Error): void;
}

/** How a worker takes its jobs. */
export interface JobWorkerOptions {
  /** BullMQ duplicates this connection for its blocking reads. */
  connection: Redis;
  /** The most jobs in flight at once. */
  concurrency: number;
  observer: JobObserver;
}

/**
 * Starts to take jobs of one name.
 *
 * @param name the job
 * @param run does one job; it must be idempotent, as a job is delivered at least once
 * @returns the worker; `close()` waits for the jobs under way
 */
export function startJobWorker<N extends JobName>(
  name: N,
  run: (data: JobData<N>) => Promise<unknown>,
  { connection, concurrency, observer }: JobWorkerOptions,
): Worker {
  const worker = new Worker(
    name,
    async job => {
      const startedAt = performance.now();
      await crashPoint('job.started');
      await withDeadline(run(JOB_DATA[name].parse(job.data) as JobData<N>), JOB_MS, name);
      await crashPoint('job.done');
      observer.onDone(name, (performance.now() - startedAt) / 1_000);
    },
    { connection, prefix: QUEUE_PREFIX, concurrency, ...WORKER_OPTIONS },
  );
  worker.on('failed', (_job, error) => observer.onFailed(name, error));
  worker.on('error', error => observer.onError(error));
  return worker;
}
