import type { Mood } from '#stack/fake-provider/events.js';
import type { FakeProvider } from '#stack/fake-provider/start.js';
import { pauseUntil } from '#stack/processes/pause.js';
import type { History } from '../history/history.js';
import type { Random } from './random.js';

/** As a provider should be: events at once, once each, and every call answered. */
const WELL = { delayMs: 0, times: 1, lose: false, hold: false, down: false, refuseRefunds: false } as const;

/** Dealt out shuffled, again and again, as faults are. What is held comes the last first. */
const MOODS: [string, Partial<Mood>][] = [
  ['well', {}],
  ['delays events', { delayMs: 1_500 }],
  ['repeats events', { times: 3 }],
  ['loses events', { lose: true }],
  ['reorders events', { hold: true }],
  ['is down', { down: true }],
  ['refuses refunds', { refuseRefunds: true }],
];

/** How long a mood lasts, in ms. */
const LASTS_MS = [500, 2_500] as const;

/**
 * Has the provider misbehave, mood after mood, until it is told to stop; then it is well, and what it held is sent. It is never
 * killed: it is somebody else's machine.
 *
 * @param fake the provider
 * @param webhooks where our APIs take events: it sends to one of them after the other, as by way of a load balancer
 * @param history where each mood is noted
 * @param random chooses them
 * @param signal ends it
 */
export async function spoilMood(
  fake: FakeProvider,
  webhooks: readonly string[],
  history: History,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
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
