import type { Socket } from 'node:net';
import { connectTo } from './connection.js';
import type { LoadOutcome, LoadPlan } from './plan.js';
import type { Requests } from './requests.js';
import { Schedule } from './schedule.js';

/** How long a run waits for its last answers, in ms. After that it fails, because its counts could not be exact. */
const LAST_ANSWERS_MS = 10_000;

/**
 * Sends a crowd at a server and counts every answer.
 *
 * @returns the outcome, after the last answer
 * @throws Error when a connection breaks or an answer is missing: no answer is left out of the counts
 */
export function runLoad(plan: LoadPlan, requests: Requests): Promise<LoadOutcome> {
  return new LoadRun(plan, requests).run();
}

class LoadRun {
  readonly #plan: LoadPlan;
  readonly #requests: Requests;
  readonly #schedule: Schedule | undefined;
  readonly #statuses: Record<string, number> = {};
  #answers = 0;
  #sent = 0;
  #timeIsUp = false;
  #lastAnswerMs = 0;
  #finish: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  readonly #finished = new Promise<void>((resolve, reject) => {
    this.#finish = resolve;
    this.#fail = reject;
  });

  constructor(plan: LoadPlan, requests: Requests) {
    this.#plan = plan;
    this.#requests = requests;
    this.#schedule = plan.perSecond === undefined ? undefined : new Schedule(plan.perSecond);
  }

  async run(): Promise<LoadOutcome> {
    const sockets = await Promise.all(
      Array.from({ length: this.#plan.connections }, () =>
        connectTo(this.#plan.port, this.#count, error => this.#fail(error)),
      ),
    );
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    this.#begin(sockets);
    await this.#untilFinished(sockets);
    const { user, system } = process.cpuUsage(cpu);
    const latency = this.#schedule?.latency();
    return {
      statuses: this.#statuses,
      answers: this.#answers,
      seconds: (this.#lastAnswerMs - startMs) / 1_000,
      cpuSeconds: (user + system) / 1e6,
      ...(latency && { latency }),
    };
  }

  #begin(sockets: Socket[]): void {
    const { again, depth } = this.#plan;
    const count = again ? Number.POSITIVE_INFINITY : this.#requests.count;
    if (this.#schedule) this.#schedule.start(count, sockets, this.#send);
    else for (const socket of sockets) this.#send(socket, depth);
  }

  async #untilFinished(sockets: Socket[]): Promise<void> {
    const planMs = this.#plan.seconds * 1_000;
    const end = setTimeout(this.#end, planMs);
    const missing = () => this.#fail(new Error(`${this.#sent - this.#answers} requests were not answered`));
    const limit = setTimeout(missing, planMs + LAST_ANSWERS_MS);
    try {
      await this.#finished;
    } finally {
      clearTimeout(end);
      clearTimeout(limit);
      this.#schedule?.stop();
      for (const socket of sockets) socket.destroy();
    }
  }

  readonly #end = (): void => {
    this.#timeIsUp = true;
    this.#schedule?.stop();
    if (this.#answers === this.#sent) this.#finish();
  };

  #isOver(): boolean {
    return this.#timeIsUp || this.#everybodyAsked();
  }

  #everybodyAsked(): boolean {
    return !this.#plan.again && this.#sent >= this.#requests.count;
  }

  readonly #count = (socket: Socket, statuses: string[]): void => {
    for (const status of statuses) this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    this.#answers += statuses.length;
    this.#lastAnswerMs = performance.now();
    if (this.#schedule) this.#schedule.answered(socket, statuses.length, this.#lastAnswerMs);
    else if (!this.#isOver()) this.#send(socket, statuses.length);
    if (this.#isOver() && this.#answers === this.#sent) this.#finish();
  };

  readonly #send = (socket: Socket, wanted: number): void => {
    const { bytes, length, count } = this.#requests;
    for (let left = wanted; left > 0 && !this.#everybodyAsked(); ) {
      // Requests that lie next to each other are sent in one piece.
      const from = this.#sent % count;
      const piece = Math.min(left, count - from);
      this.#sent += piece;
      left -= piece;
      socket.write(bytes.subarray(from * length, (from + piece) * length));
    }
  };
}
