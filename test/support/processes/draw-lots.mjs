// Makes the order of one draw, as a worker does, in a process of its own that a test may kill.
import { drawLots } from '#core/maintenance/line/draw-lots.js';
import { connectStores } from '#stack/stores/connections.js';

const [redisUrl, databaseUrl, saleId] = process.argv.slice(2);
const stores = await connectStores(redisUrl, databaseUrl);
process.stdout.write('connected\n');
// The test says when.
if (process.env.WAIT) await new Promise(resolve => process.stdin.once('data', resolve));
await drawLots(stores, saleId);
await stores.close();
process.exit(0);
