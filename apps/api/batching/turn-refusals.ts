import type { ServerResponse } from 'node:http';
import { sendReady } from '../http/problem.js';
import type { Refusal } from '../mirror/mirror.js';

/** Answers a buyer with a refusal at the end of the present turn of the event loop. */
export type RefuseAtTurnEnd = (res: ServerResponse, refusal: Refusal) => void;

/**
 * Collects the refusals of one turn of the event loop and sends them together. A refusal that is sent between the reads
 * of two requests costs 33 µs of CPU instead of 22 (bench/README.md). It also wakes the client once for each answer.
 */
export function createRefuseAtTurnEnd(): RefuseAtTurnEnd {
  let refused: [ServerResponse, Refusal][] = [];

  function endTurn(): void {
    const all = refused;
    refused = [];
    for (const [res, refusal] of all) sendReady(res, refusal);
  }

  return (res, refusal) => {
    if (refused.length === 0) setImmediate(endTurn);
    refused.push([res, refusal]);
  };
}
