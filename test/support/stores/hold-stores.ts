// A process that starts private stores, prints their process ids and folder, and waits for a signal.
import { startPrivateStores } from '#stack/stores/private-stores.js';

const stores = await startPrivateStores();
const { redis, postgres, folder } = stores;
process.stdout.write(`${JSON.stringify({ pids: [redis.pid, postgres.pid], folder })}\n`);
setInterval(() => undefined, 60_000);
