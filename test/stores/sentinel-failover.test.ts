import { afterAll, expect, test } from '@jest/globals';
import { useStage } from '../chaos/rig/stage.js';
import { sendSteadyBuyers } from '../chaos/workload/steady-buyers.js';
import { eventually } from '../support/eventually.js';
import { type Member, startReplica } from '../support/redis/replica.js';
import { type Sentinels, startSentinels } from '../support/redis/sentinels.js';

// One primary, one replica and three Sentinels. The primary freezes: its connections stay open, and nothing answers. Later it
// resumes as a primary of the past, and answers OK to writes that are thrown away.

const READY_MS = 60_000;

let replica: Member | undefined;
let sentinels: Sentinels | undefined;

/** Starts the replica and the Sentinels once for all processes. */
let starting: Promise<string> | undefined;
async function startRest(direct: string): Promise<string> {
  replica = await startReplica(direct);
  sentinels = await startSentinels(Number(new URL(direct).port));
  return sentinels.url;
}

const s = useStage({
  redisUrl: direct => {
    starting ??= startRest(direct);
    return starting;
  },
});

afterAll(async () => {
  await sentinels?.stop();
  await replica?.stop();
}, 60_000);

test('a crowd buys on after the primary froze, and nobody talks to it when it resumes', async () => {
  if (!replica || !sentinels) throw new Error('the replica and the Sentinels run');
  const { id } = await s.open({ units: 5_000, payWithinSeconds: 3 });
  const buyers = sendSteadyBuyers(s.client, id, 40);
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(20), READY_MS);

  const frozen = Number(s.node('redis').pid());
  // A Sentinel that is cut off meanwhile still names the old primary afterwards.
  const deaf = Number(sentinels.pids[2]);
  process.kill(frozen, 'SIGSTOP');
  process.kill(deaf, 'SIGSTOP');
  try {
    await eventually(async () => expect(await sentinels?.primaryPort()).toBe(replica?.port), READY_MS);
    const before = buyers.accepted();
    await eventually(() => expect(buyers.accepted()).toBeGreaterThan(before + 20), READY_MS);
  } finally {
    process.kill(deaf, 'SIGCONT');
    process.kill(frozen, 'SIGCONT');
  }
  const before = buyers.accepted();
  await eventually(() => expect(buyers.accepted()).toBeGreaterThan(before + 20), READY_MS);
  await buyers.end();
  await s.expectAllKept({ redisLostData: true });
}, 180_000);
