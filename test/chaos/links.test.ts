import { expect, test } from '@jest/globals';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { pause } from '#core/rules/clock.js';
import type { Fault } from '../support/stores/fault-proxy.js';
import { FAULTS } from './nemesis/link-faults.js';
import { LINKS, type LinkName } from './nemesis/links.js';
import { useStage } from './rig/stage.js';
import { shop } from './workload/crowd.js';
import { seededRandom } from './workload/random.js';
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

/** Before and while it is broken, in ms: claims, orders and payments are on their way in both. */
const WHOLE_MS = 150;
const BROKEN_MS = 2_000;

/** A buyer finds an end within this time, in ms: the longest a half-open connection of a worker may go unnoticed, and a rescue. */
const PATIENCE_MS = 40_000;

test.each(cases)(
  '%s: %s',
  async (link, _kind, fault) => {
    const { id } = await s.open({ units: 4, payWithinSeconds: 3 });
    await creditWallets(s.connections.db, ['payer', 'changeable'], { amountMinor: PRICE_MINOR, currency: 'EUR' });
    const random = seededRandom(1);
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
      await shop(s.client, random, { saleId: id, buyerId, clicks: 2, withUnit, returns: 1 }, PATIENCE_MS);
    });
    await pause(WHOLE_MS);
    s.setLink(link, fault);
    await pause(BROKEN_MS);
    s.setLink(link, { kind: 'none' });
    await Promise.all(visits);
    await s.expectAllKept(false);
    expect((await s.client.ask('buy', id, 'afterwards')).http).toBeGreaterThan(0);
  },
  120_000,
);
