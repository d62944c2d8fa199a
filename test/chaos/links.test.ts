import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import type { Fault } from '../support/stores/fault-proxy.js';
import { FAULTS } from './nemesis/link-faults.js';
import { LINKS, type LinkName } from './rig/links.js';
import { useStage } from './rig/stage.js';
import { Random } from './workload/random.js';
import { visitSale } from './workload/visit.js';
import { PRICE_MINOR } from './workload/world.js';

// Every link is broken in the middle of a small sale. CHAOS_ALL_LINKS=1 breaks each of them in every way.

const s = useStage({ breakable: true });

const SELECTED: [LinkName, Fault['kind']][] = [
  ['client-api', 'drop-reply'],
  ['api-redis', 'half-open'],
  ['worker-redis', 'half-open'],
  ['worker-redis', 'stall'],
  ['worker-postgres', 'half-open'],
  ['worker-postgres', 'drop-reply'],
];

const all: [LinkName, Fault][] = LINKS.flatMap(link => FAULTS.map((fault): [LinkName, Fault] => [link, fault]));
const chosen = all.filter(([link, { kind }]) => SELECTED.some(([name, one]) => name === link && one === kind));
const cases = (process.env.CHAOS_ALL_LINKS === '1' ? all : chosen).map(
  ([link, fault]) => [link, fault.kind, fault] as const,
);

/** The time before the fault and the time of the fault, in ms. Claims, orders and payments are in flight in both. */
const WHOLE_MS = 150;
const BROKEN_MS = 2_000;

/** A visit ends within this time, in ms: a half-open connection of a worker is noticed after 15 s, and a rescue follows. */
const PATIENCE_MS = 40_000;

test.each(cases)(
  '%s: %s',
  async (link, _kind, fault) => {
    const { id } = await s.open({ units: 4, payWithinSeconds: 3 });
    await creditWallets(s.connections.db, ['payer', 'changeable'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
    const random = new Random(1);
    const plans = [
      ['payer', 'pay'],
      ['changeable', 'pay and cancel'],
      ['leaver', 'leave'],
      ['canceller', 'cancel'],
      ['late', 'leave'],
      ['later', 'cancel'],
    ] as const;
    const visits = plans.map(async ([buyerId, withUnit], i) => {
      await pause(i * WHOLE_MS);
      const visit = { saleId: id, buyerId, clicks: 2, withUnit, returns: 1, patienceMs: PATIENCE_MS };
      await visitSale(s.client, random, visit);
    });
    await pause(WHOLE_MS);
    s.setLink(link, fault);
    await pause(BROKEN_MS);
    s.setLink(link, { kind: 'none' });
    await Promise.all(visits);
    await s.expectAllKept({ redisLostData: false });
    expect((await s.client.ask('buy', id, 'afterwards')).http).toBeGreaterThan(0);
  },
  120_000,
);
