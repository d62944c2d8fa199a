/** Where a mistake costs money or units, and everything else. */
export type Area = 'money and scripts' | 'the rest';

/** A part of the sources whose mutants are counted together. */
export interface Target {
  /** The name of the part, in reports. */
  name: string;
  area: Area;
  files: RegExp;
}

/** All parts. A file belongs to the first that has it; a file that no part has is not changed. */
export const TARGETS: readonly Target[] = [
  {
    name: 'the rules of money',
    area: 'money and scripts',
    files: /^core\/rules\/(payment|payment-money|refund|dispute|money|currencies)\.ts$/,
  },
  { name: 'the rows of money', area: 'money and scripts', files: /^core\/postgres\/(money\/.*|money-rules)\.ts$/ },
  { name: 'payment providers', area: 'money and scripts', files: /^core\/payments\/.*\.ts$|^core\/values\/money\.ts$/ },
  {
    name: 'the steps of money',
    area: 'money and scripts',
    files:
      /^core\/(steps\/(pay-order|payment-event|decide-late-money|settle-receipt)|maintenance\/(ask-providers|finish-payments))\.ts$/,
  },
  { name: 'the Redis scripts', area: 'money and scripts', files: /^core\/redis\/lua\/.*\.lua$/ },
  { name: 'the tables', area: 'money and scripts', files: /^prisma\/migrations\/.*\.sql$/ },
  { name: 'rules and values', area: 'the rest', files: /^core\/(rules|values)\/.*\.ts$/ },
  { name: 'Redis', area: 'the rest', files: /^core\/redis\/.*\.ts$/ },
  { name: 'Postgres', area: 'the rest', files: /^core\/postgres\/(?!generated\/).*\.ts$/ },
  { name: 'steps', area: 'the rest', files: /^core\/steps\/.*\.ts$/ },
  { name: 'maintenance', area: 'the rest', files: /^core\/(maintenance|operator)\/.*\.ts$/ },
  {
    name: "the API's hot path",
    area: 'the rest',
    files: /^apps\/api\/(batching|limits|mirror|listeners|load|answers|waiting|routes)\/.*\.ts$/,
  },
  {
    name: "the page's machine",
    area: 'the rest',
    files: /^apps\/web\/scripts\/(purchase|clock|sale|visit|api|dialog)\.js$/,
  },
  { name: 'nginx', area: 'the rest', files: /^nginx\/(?!examples\/).*\.conf$/ },
  {
    name: 'verdicts',
    area: 'the rest',
    files: new RegExp(
      [
        '^core/comparison/.*\\.ts$',
        '^stack/crowd/reckoning\\.ts$',
        '^stack/(demo|rehearse)\\.ts$',
        '^test/chaos/(verdict|result)\\.ts$',
        '^test/chaos/(history/(check-history|checks/.*)|matrix/crash-verdict)\\.ts$',
        '^test/(simulation/promises|upgrade/judge|mutants/verdict)\\.ts$',
        '^bench/(against/ratio|report)\\.ts$',
      ].join('|'),
    ),
  },
];

/** Returns the part that a file belongs to. */
export function targetOf(file: string): Target | undefined {
  return TARGETS.find(({ files }) => files.test(file));
}
