import type { Task } from './model/processes.js';
import type { Worker, World } from './model/world.js';

/** The workers have the slots 0 and 1. */
export const WORKERS = 2;
/** The slot of the operator's own process. */
export const OPERATOR = 2;

/** One kind of move. */
export interface Move {
  /** How often it is chosen, compared with others. */
  weight: number;
  /** Whether it begins a task, or brings one about. */
  bringsWork?: boolean;
  /** Makes the move. Returns false, without effect, if it is impossible. */
  make(world: World, argument: number): boolean;
}

/** Starts a task in a worker. Its first effect happens at once. */
export function begin(world: World, slot: number, worker: Worker): boolean {
  if (world.workers[slot]) return false;
  world.workers[slot] = worker;
  world.tell?.(`${nameOf(slot)} begins to ${worker.words}`);
  advance(world, slot);
  return true;
}

/** Names a process. */
export function nameOf(slot: number): string {
  return slot === OPERATOR ? 'the operator' : `worker ${slot + 1}`;
}

/** Lets a process make its next effect. */
export function advance(world: World, slot: number): void {
  if (world.workers[slot]?.task.next().done) world.workers[slot] = undefined;
}

/** Starts a task that a worker repeats. */
export const actor = (weight: number, words: string, start: (world: World) => Task): Move => ({
  weight,
  bringsWork: true,
  make(world, argument) {
    const slot = argument % WORKERS;
    if (world.workers[slot]) return false;
    const { tell } = world;
    const effects: string[] = [];
    world.tell = tell && (effect => effects.push(effect));
    const task = start(world);
    const isIdle = task.next().done;
    world.tell = tell;
    if (isIdle) return false;
    world.workers[slot] = { words, task };
    for (const line of [`${nameOf(slot)} begins to ${words}`, ...effects]) tell?.(line);
    return true;
  },
});
