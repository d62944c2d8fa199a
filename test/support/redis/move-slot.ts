import { askNode, type ClusterNode } from '#stack/stores/redis-cluster.js';

/** The keys that one MIGRATE moves, and how long it may take, in ms. */
const KEYS_AT_ONCE = 100;
const MIGRATE_MS = 60_000;

/** A slot of a Redis Cluster, its owner, and the node that gets it. */
export interface SlotMove {
  slot: number;
  from: ClusterNode;
  to: ClusterNode;
}

/** Begins to move a slot, as redis-cli does: from now on an absent key counts as moved. */
export async function beginSlotMove({ slot, from, to }: SlotMove): Promise<void> {
  await askNode(to, client => client.cluster('SETSLOT', slot, 'IMPORTING', from.id));
  await askNode(from, client => client.cluster('SETSLOT', slot, 'MIGRATING', to.id));
}

/** Moves keys of a slot, at most `limit` of them. Returns how many were moved. */
export async function moveKeys(move: SlotMove, limit = KEYS_AT_ONCE): Promise<number> {
  const { slot, from } = move;
  const keys = (await askNode(from, client => client.cluster('GETKEYSINSLOT', slot, limit))) as string[];
  await moveTheseKeys(move, keys);
  return keys.length;
}

/** Moves keys of a slot by their names. */
export async function moveTheseKeys({ from, to }: SlotMove, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const migrate = ['127.0.0.1', to.port, '', 0, MIGRATE_MS, 'KEYS', ...keys];
  await askNode(from, client => client.call('MIGRATE', ...migrate), 2 * MIGRATE_MS);
}

/**
 * Makes the new owner known: first to itself, then to the old one, and then to the others.
 *
 * @returns the time from which the new owner serves, in ms since the epoch
 */
export async function endSlotMove({ slot, from, to }: SlotMove, nodes: readonly ClusterNode[]): Promise<number> {
  let servesAtMs = Number.NaN;
  const primaries = new Set([to, from, ...nodes]);
  for (const node of primaries) {
    // A replica hears of it from its primary, and refuses. A node that gave its last slot away may be one by then.
    await askNode(node, client => client.cluster('SETSLOT', slot, 'NODE', to.id)).catch(error => {
      if (node === to || (node === from && !isOfReplica(error))) throw error;
    });
    if (node === to) servesAtMs = Date.now();
  }
  return servesAtMs;
}

const isOfReplica = ({ message }: Error): boolean => message.includes('only with masters');

/** Moves a slot with all its keys, and returns the time of {@link endSlotMove}. */
export async function moveSlot(move: SlotMove, nodes: readonly ClusterNode[]): Promise<number> {
  await beginSlotMove(move);
  while ((await moveKeys(move)) > 0);
  return endSlotMove(move, nodes);
}
