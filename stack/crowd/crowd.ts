import { setMaxListeners } from 'node:events';
import { issueToken } from '#core/identity/token.js';
import { pauseUntil } from '../processes/pause.js';
import { Answers, type Latency } from './answers.js';
import { type Buyer, type BuyerPlan, type BuyerRecord, buy, obtainPass, type Stage } from './buyer.js';
import { type AnyCall, createStorefront } from './storefront.js';

/** The most connections that help. More would not be faster: a request takes a few ms, and the machine has a few cores. */
export const CONNECTIONS = 256;

/** The buyers of a crowd, and where and when they come. */
export interface CrowdOptions {
  /** The APIs. Buyers are spread over them. */
  baseUrls: readonly string[];
  saleId: string;
  authSecret: string;
  plans: readonly BuyerPlan[];
  /** The first buyers arrive after this time, in ms; at once if not given. */
  arriveAfterMs?: number;
  /** All buyers without a time of their own arrive within this time from then on, in ms; with 0, at one moment. */
  arriveWithinMs: number;
  /** After this time, in ms, all buyers without a final answer go home. */
  patienceMs: number;
  /** Whether the buyers get their passes before they arrive. Otherwise those who need one get it after the first click. */
  passesBefore?: boolean;
  /** The connections of the whole crowd; 256 if not given. */
  connections?: number;
}

/** The result of a crowd: one record for each buyer, and the answers as counts. */
export interface CrowdReport {
  buyers: BuyerRecord[];
  answers: Record<string, number>;
  latency: Partial<Record<AnyCall, Latency>>;
  seconds: number;
}

/** Simulated buyers on their way. */
export interface Crowd {
  /** Counts the buyers in each stage. */
  stages(): Partial<Record<Stage, number>>;
  /** Resolves when every buyer has a final answer, or has gone home. */
  finished: Promise<CrowdReport>;
  /** Sends all buyers without a final answer home now. */
  sendHome(): void;
}

/** Starts a crowd that buys over HTTP. Only one record for each buyer, and counts, are kept in memory. */
export function startCrowd(options: CrowdOptions): Crowd {
  const startedAt = performance.now();
  const { baseUrls, connections = CONNECTIONS } = options;
  const shops = baseUrls.map(url => createStorefront(url, Math.ceil(connections / baseUrls.length)));
  const answers = new Answers();
  const buyers: BuyerRecord[] = options.plans.map(plan => ({ plan, stage: 'coming', claims: new Map() }));
  const home = new AbortController();
  setMaxListeners(0, home.signal);
  const patience = setTimeout(() => home.abort(), options.patienceMs);

  async function send(record: BuyerRecord, number: number): Promise<void> {
    const { arrivesAtMs } = record.plan;
    const { arriveAfterMs = 0, arriveWithinMs } = options;
    const inMs = arrivesAtMs === undefined ? arriveAfterMs + Math.random() * arriveWithinMs : arrivesAtMs - Date.now();
    const startsAtMs = performance.now() + Math.max(0, inMs);
    const shop = shops[number % shops.length];
    if (!shop) throw new Error('a crowd needs an API to go to');
    const token = issueToken(options.authSecret, record.plan.buyerId);
    const { saleId, passesBefore } = options;
    const buyer: Buyer = { record, saleId, token, shop, answers, patience: home.signal };
    const ending = passesBefore ? await obtainPass(buyer) : undefined;
    await pauseUntil(Math.max(0, startsAtMs - performance.now()), home.signal);
    record.stage = ending ?? (await buy(buyer));
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

/** The make-up of a crowd. */
export interface CrowdPlan {
  buyers: number;
  /** The buyers are `<prefix>1`, `<prefix>2` and so on. */
  prefix: string;
  /** A buyer clicks 1 to this many times. */
  clicksMax: number;
  /** The share of buyers who pay, 0 to 1. */
  payShare: number;
  /** The use of a unit by the other buyers. */
  others: 'leave' | 'cancel';
}

/** Creates the plans of a crowd in which payers and others are evenly mixed. Equal arguments give equal plans. */
export function createBuyerPlans({ buyers, prefix, clicksMax, payShare, others }: CrowdPlan): BuyerPlan[] {
  const pays = (i: number) => Math.floor((i + 1) * payShare) > Math.floor(i * payShare);
  return Array.from({ length: buyers }, (_, i) => ({
    buyerId: `${prefix}${i + 1}`,
    clicks: 1 + (i % clicksMax),
    withUnit: pays(i) ? 'pay' : others,
  }));
}
