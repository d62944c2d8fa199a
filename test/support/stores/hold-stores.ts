// A process of its own that starts private stores, says so, and waits to be killed.
import { startPrivateStores } from '#stack/stores/private-stores.js';

const stores = await startPrivateStores();
const { redis, postgres, folder } = stores;
process.stdout.write(`${JSON.stringify({ pids: [redis.pid, postgres.pid], folder })}\n`);
setInterval(() => undefined, 60_000);
