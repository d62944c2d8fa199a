import { crashStep } from '#core/process/crash-point.js';
import { enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';

/**
 * How long a sale with new claims is held before its `place-waiting` job is queued, in ms. The delay is small beside the
 * second within which an order is placed, and adding a job costs Redis as much as some claims.
 */
const HELD_MS = 20;

/**
 * Queues a `place-waiting` job for the sales that have new claims. No answer to a buyer waits for the job, as the outbox
 * in Redis holds each claim already.
 */
export class Winners {
  readonly #queues: Queues;
  readonly #saleIds = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /** Notes that a sale has new claims. Its job is queued within {@link HELD_MS}. */
  add(saleId: string): void {
    this.#saleIds.add(saleId);
    this.#timer ??= setTimeout(() => void this.flush(), HELD_MS);
  }

  /** Queues the jobs of all held sales now. Resolves once every job is queued or has failed; never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const saleIds = [...this.#saleIds];
    this.#saleIds.clear();
    await Promise.all(saleIds.map(saleId => this.#send(saleId)));
  }

  #send(saleId: string): Promise<void> {
    return crashStep('claim.queue', () => enqueuePlaceWaiting(this.#queues, { saleId })).catch(error =>
      enqueueFailed('place-waiting', error),
    );
  }
}
