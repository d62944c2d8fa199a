declare module 'cluster-key-slot' {
  /** Returns the slot of a key on a Redis Cluster, by its hash tag if it has one. */
  function keySlot(key: string): number;
  export = keySlot;
}
