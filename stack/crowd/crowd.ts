import { setMaxListeners } from 'node:events';
import { issueToken } from '#core/identity/token.js';
import { pauseUntil } from '../processes/pause.js';
import { countAnswers, type Latency } from './answers.js';
import { type BuyerPlan, type BuyerRecord, buy, type Stage } from './buyer.js';
import { type Call, createStorefront } from './storefront.js';

/** Of the whole crowd. More would not ask faster: a request takes a few ms, and the machine has a few cores. */
const CONNECTIONS = 256;

export interface CrowdOptions {
  /** The APIs; buyers are spread over them. */
  baseUrls: readonly string[];
  saleId: string;
  authSecret: string;
  plans: readonly BuyerPlan[];
  /** All of them come within this time, in milliseconds; 0: in one moment. */
  arriveWithinMs: number;
  /** Then whoever has no final answer goes home. */
  patienceMs: number;
}

/** What a crowd lived through. */
export interface CrowdReport {
  buyers: BuyerRecord[];
  answers: Record<string, number>;
  latency: Partial<Record<Call, Latency>>;
  seconds: number;
}

/** Simulated buyers on their way. */
export interface Crowd {
  /** How many buyers stand where. */
  stages(): Partial<Record<Stage, number>>;
  /** Settles when every buyer has a final answer, or has gone home. */
  finished: Promise<CrowdReport>;
  /** Whoever has no final answer goes home now. */
  sendHome(): void;
}

/**
 * Sends a crowd over HTTP. One record for each buyer, and counts, are all that it remembers.
 *
 * @param options who comes, where and when
 * @returns the crowd, on its way
 */
export function startCrowd(options: CrowdOptions): Crowd {
  const startedAt = performance.now();
  const shops = options.baseUrls.map(url => createStorefront(url, Math.ceil(CONNECTIONS / options.baseUrls.length)));
  const answers = countAnswers();
  const buyers: BuyerRecord[] = options.plans.map(plan => ({ plan, stage: 'coming', claims: new Map() }));
  const home = new AbortController();
  setMaxListeners(0, home.signal);
  const patience = setTimeout(() => home.abort(), options.patienceMs);

  async function send(record: BuyerRecord, number: number): Promise<void> {
    await pauseUntil(Math.random() * options.arriveWithinMs, home.signal);
    const shop = shops[number % shops.length];
    if (!shop) throw new Error('a crowd needs an API to go to');
    const token = issueToken(options.authSecret, record.plan.buyerId);
    const { saleId } = options;
    record.stage = await buy({ record, saleId, token, shop, answers, patience: home.signal });
  }

  async function run(): Promise<CrowdReport> {
    await Promise.all(buyers.map(send));
    clearTimeout(patience);
    await Promise.all(shops.map(shop => shop.close()));
    const seconds = (performance.now() - startedAt) / 1_000;
    return { buyers, answers: answers.counts(), latency: answers.latency(), seconds };
  }

  return { stages: () => countStages(buyers), finished: run(), sendHome: () => home.abort() };
}

function countStages(buyers: readonly BuyerRecord[]): Partial<Record<Stage, number>> {
  const counts: Partial<Record<Stage, number>> = {};
  for (const { stage } of buyers) counts[stage] = (counts[stage] ?? 0) + 1;
  return counts;
}

export interface CrowdPlan {
  buyers: number;
  /** The buyers are `<prefix>1`, `<prefix>2` and so on. */
  prefix: string;
  /** A buyer clicks 1 to this many times. */
  clicksMax: number;
  /** 0 to 1: how many of them pay. */
  payShare: number;
  /** What the others do. */
  others: 'leave' | 'cancel';
}

/**
 * Plans of a crowd in which payers and others are evenly mixed: the same for the same wishes.
 *
 * @param plan how many, and what they do
 * @returns a plan for each, in the order of their names
 */
export function planCrowd({ buyers, prefix, clicksMax, payShare, others }: CrowdPlan): BuyerPlan[] {
  const pays = (i: number) => Math.floor((i + 1) * payShare) > Math.floor(i * payShare);
  return Array.from({ length: buyers }, (_, i) => ({
    buyerId: `${prefix}${i + 1}`,
    clicks: 1 + (i % clicksMax),
    withUnit: pays(i) ? 'pay' : others,
  }));
}
