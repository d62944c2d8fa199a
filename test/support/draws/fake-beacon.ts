import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a beacon answers a request for a round. */
export type BeaconAnswer = (round: number, res: ServerResponse) => void;

/** Answers as drand does. The value of a round is its number, as 64 digits. */
export const goodAnswer: BeaconAnswer = (round, res) =>
  void res.end(JSON.stringify({ round, randomness: valueOfRound(round) }));

/** The value of a round of a fake beacon. */
export const valueOfRound = (round: number): string => String(round).padStart(64, '0');

/** A beacon on this machine with the calls of drand: a round every 3 s, since an hour ago. */
export interface FakeBeacon {
  url: string;
  /** How it answers from now on. */
  answer: BeaconAnswer;
  /** The rounds that it was asked for. */
  asked: number[];
  stop(): Promise<unknown>;
}

/** Starts a beacon on a free port. The caller stops it. */
export async function startFakeBeacon(): Promise<FakeBeacon> {
  const genesis = Math.floor(Date.now() / 1_000) - 3_600;
  const server = createServer((req, res) => {
    if (req.url === '/chain/info') return void res.end(JSON.stringify({ period: 3, genesis_time: genesis }));
    const [, round] = /^\/chain\/public\/(\d+)$/.exec(req.url ?? '') ?? [];
    if (round === undefined) return void res.writeHead(404).end();
    beacon.asked.push(Number(round));
    beacon.answer(Number(round), res);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const beacon: FakeBeacon = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chain`,
    answer: goodAnswer,
    asked: [],
    stop: () => {
      server.closeAllConnections();
      return once(server.close(), 'close');
    },
  };
  return beacon;
}
