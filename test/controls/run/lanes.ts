/**
 * Does work in several lanes at once: each takes one piece after the other, until none is left. When a piece fails, the other lanes
 * take no more, and the signal tells them to end the piece that they are at.
 *
 * @throws the first failure, once every lane has ended
 */
export async function inLanes<Lane, Piece>(
  lanes: readonly Lane[],
  work: readonly Piece[],
  run: (lane: Lane, piece: Piece, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = [...work];
  const stop = new AbortController();
  const follow = async (lane: Lane): Promise<void> => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (stop.signal.aborted) return;
        await run(lane, next, stop.signal);
      }
    } catch (error) {
      stop.abort(error);
    }
  };
  await Promise.all(lanes.map(follow));
  // Only the first call of `abort` counts, so this is what broke, and not what followed from it.
  stop.signal.throwIfAborted();
}
