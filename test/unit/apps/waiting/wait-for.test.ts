import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BuyerWaiters } from '../../../../apps/api/waiting/buyer-waiters.js';
import { waitFor } from '../../../../apps/api/waiting/news.js';
import { Waiter } from '../../../../apps/api/waiting/waiter.js';

const server = createServer();
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => void server.close());

test.each(['before its waiter is open', 'afterwards'])('a client that disconnects %s waits no longer', async when => {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [req] = (await once(server, 'request')) as [IncomingMessage];
  const disconnect = async () => {
    client.destroy();
    await once(req.socket, 'close');
  };
  let left = 0;
  const open = async () => {
    if (when === 'before its waiter is open') await disconnect();
    const waiter = new Waiter(0, () => {
      left += 1;
    });
    return { waiter, ofBuyer: new BuyerWaiters() };
  };
  const parts = { waiters: { open }, lookUp: () => Promise.reject(new Error('nothing is looked up')) };
  const wait = await waitFor(parts, req, { saleId: 'sale', buyerId: 'ann', receipt: undefined });
  if (when === 'afterwards') await disconnect();
  expect(await wait.next(1_000)).toBe('left');
  wait.leave();
  expect(left).toBe(1);
});
