import { crashStep } from '#core/process/crash-point.js';
import { enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceOrders } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { type Claim, PLACE_BATCH_MAX } from '#core/rules/claim.js';

/**
 * How long new claims are held to share one `place-orders` job with others of their sale, in ms. The delay is small
 * beside the second within which an order is placed. A job costs the queue as much as placing 20 orders. Joining the
 * claims of 10 ms turned jobs of 64 claims into jobs of 256. A backlog then drained 1.6 times as fast. With 20 ms
 * instead of 10, an order costs the worker 53 µs instead of 65. Both were measured, the latter at 6,500 claims a second
 * (bench/README.md).
 */
const HELD_MS = 20;

/**
 * Joins the claims won in a few turns of the event loop into one `place-orders` job per sale. No answer to a buyer
 * waits for the job, as the outbox in Redis holds each claim already.
 */
export class Winners {
  readonly #queues: Queues;
  readonly #held = new Map<string, Claim[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /** Adds the new claims of one batch. Their job is queued within {@link HELD_MS}. */
  add(saleId: string, claims: Claim[]): void {
    if (claims.length === 0) return;
    const others = this.#held.get(saleId) ?? [];
    if (others.length + claims.length > PLACE_BATCH_MAX) {
      void this.#send(saleId, others);
      this.#held.set(saleId, claims);
    } else {
      this.#held.set(saleId, others.concat(claims));
    }
    this.#timer ??= setTimeout(() => void this.flush(), HELD_MS);
  }

  /** Queues the jobs of all held claims now. Resolves once every job is queued or has failed; never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const jobs = [...this.#held];
    this.#held.clear();
    await Promise.all(jobs.map(([saleId, claims]) => this.#send(saleId, claims)));
  }

  #send(saleId: string, claims: Claim[]): Promise<void> {
    const job = { saleId, claims };
    return crashStep('claim.queue', () => enqueuePlaceOrders(this.#queues, job)).catch(error =>
      enqueueFailed('place-orders', error),
    );
  }
}
