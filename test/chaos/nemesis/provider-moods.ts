import type { Mood } from '#stack/fake-provider/events.js';
import type { FakeProvider } from '#stack/fake-provider/start.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { History } from '../history/history.js';
import type { Random } from '../workload/random.js';

/** A provider that works well: each event is sent once and at once, and every call is answered. */
const WELL = { delayMs: 0, times: 1, lose: false, hold: false, down: false, refuseRefunds: false } as const;

/** The moods are dealt out shuffled, again and again, as the faults are. Held events come in reverse order. */
const MOODS: [string, Partial<Mood>][] = [
  ['well', {}],
  ['delays events', { delayMs: 1_500 }],
  ['repeats events', { times: 3 }],
  ['loses events', { lose: true }],
  ['reorders events', { hold: true }],
  ['is down', { down: true }],
  ['refuses refunds', { refuseRefunds: true }],
];

/** The duration of a mood, in ms. */
const LASTS_MS = [500, 2_500] as const;

/** The parts of the provider's misbehaviour. */
export interface MoodOptions {
  fake: FakeProvider;
  /** The addresses for events. The provider uses one after the other, as through a load balancer. */
  webhooks: readonly string[];
  history: History;
  /** Chooses the moods. */
  random: Random;
  /** Ends the misbehaviour. */
  signal: AbortSignal;
}

/**
 * Makes the provider misbehave, mood after mood, until the signal fires. Then the provider works well, and sends the held events.
 * It is never killed, because in reality it is another company's machine.
 */
export async function runProviderMoods({ fake, webhooks, history, random, signal }: MoodOptions): Promise<void> {
  let deck: typeof MOODS = [];
  while (!signal.aborted) {
    if (deck.length === 0) deck = random.shuffle(MOODS);
    const [name, mood] = deck.pop() ?? ['well', {}];
    history.note({ type: 'fault', atMs: Date.now(), fault: `the provider ${name}` });
    await fake.mood({ ...WELL, ...mood, webhook: random.pick(webhooks) });
    await pauseUntil(random.between(...LASTS_MS), signal);
    if (mood.hold) void fake.flush();
  }
  await fake.mood({ ...WELL, webhook: random.pick(webhooks) });
  await fake.flush();
}
