/**
 * The time between two samples, in ms. A sample that comes late shows how long requests wait for their turn of the
 * event loop.
 */
const SAMPLE_MS = 20;

/**
 * Measures the standing delay of the event loop: the delay that every turn had. The least delay tells an overload from
 * a burst, as a burst leaves some turns short (K. Nichols and V. Jacobson, "Controlling Queue Delay", ACM Queue, 2012).
 * Node's own `monitorEventLoopDelay` drops the first sample after each reset. So it sees none when a turn lasts as long
 * as the period.
 */
export class LoopDelay {
  #sampledAtMs = performance.now();
  #leastMs = Number.POSITIVE_INFINITY;
  #leastBeforeMs = 0;
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS);

  /** Returns the least delay since the reading before the last one, in ms. */
  read(): number {
    const leastMs = Math.min(this.#leastMs, this.#leastBeforeMs);
    if (Number.isFinite(this.#leastMs)) this.#leastBeforeMs = this.#leastMs;
    this.#leastMs = Number.POSITIVE_INFINITY;
    return leastMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const nowMs = performance.now();
    const delayMs = Math.max(0, nowMs - this.#sampledAtMs - SAMPLE_MS);
    this.#leastMs = Math.min(this.#leastMs, delayMs);
    this.#sampledAtMs = nowMs;
  }
}
