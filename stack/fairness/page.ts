import { OPENINGS, type OpeningKind } from '#core/rules/sale.js';
import type { Visitors } from './arrivals.js';
import { HOLDING, HOLDING_SALES, type HoldingSale, type NonPayers } from './non-payers.js';
import { type Passes, WORKED } from './passes.js';
import { deviationOf, type Modes, shareByHeads, shareOfPeople } from './share.js';

const HEADING = '## Robots against people';
const BAR = 40;

const SHOWN: Record<OpeningKind, string> = {
  rush: 'the first click gets the first unit',
  shuffle: 'who joined before the opening is put into random order',
  draw: 'entries until the opening, then lots',
};

/** A run, and its result. */
export interface Run {
  visitors: Visitors;
  /** The sales with each opening, and the units of each sale. */
  sales: number;
  each: number;
  seed: number;
  modes: Modes;
  /** The sales with accounts that never pay; undefined if they were left out. */
  nonPayers?: NonPayers | undefined;
  /** The sale that needs passes; undefined in the same case. */
  passes?: Passes | undefined;
}

const shown = (count: number): string => count.toLocaleString('en-US');

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Draws the share of units that people and the script got with each opening, for a terminal. */
export function barsOf({ visitors, modes, nonPayers, passes }: Run): string {
  const line = (name: string, share: number, text: string) => {
    const people = Math.round(share * BAR);
    return `${name.padEnd(9)}${'█'.repeat(people)}${'░'.repeat(BAR - people)}  people ${percent(share)}${text}\n`;
  };
  const bars = OPENINGS.flatMap(opening => {
    const { [opening]: sold } = modes;
    return sold ? [line(opening, shareOfPeople(sold), ` of ${sold.units} units`)] : [];
  });
  const holding = nonPayers
    ? Object.entries(nonPayers).map(([name, held]) =>
        line(name, shareOfPeople(held), ` of ${HOLDING.units} units; others never pay`),
      )
    : [];
  const worked = passes ? [`${wordsOf(passes)}\n`] : [];
  return [...bars, line('by heads', shareByHeads(visitors), ''), ...holding, ...worked].join('');
}

/** Writes the section of docs/fairness.md about a run, as Markdown. */
export function sectionOf(run: Run): string {
  const { visitors, sales, each, seed, modes, nonPayers, passes } = run;
  const { people, accounts } = visitors;
  const rows = OPENINGS.flatMap(opening => {
    const { [opening]: sold } = modes;
    if (!sold) return [];
    const script = sold.units - sold.peopleUnits;
    const counts = `${shown(sold.units)} | ${shown(sold.peopleUnits)} | ${shown(script)} | ${percent(shareOfPeople(sold))}`;
    return [`| \`${opening}\`: ${SHOWN[opening]} | ${counts} |`];
  });
  const deviation = deviationOf(visitors, { units: sales * each, each }).toFixed(1);
  return `${HEADING}

\`npm run fairness\` runs ${sales} sales of ${each} units with each opening on the real processes and stores. To each sale come ${people} people
and ${accounts} accounts of one script. In a rush the script clicks with every account from 20 ms before the opening, every 15 ms, and
people react 250 to 2,250 ms after it. In \`shuffle\` and \`draw\` the script joins in the same way as soon as anybody may, and people
join at any time before the opening. People are ${percent(shareByHeads(visitors))} of the heads.

| Opening | Units | People got | The script got | Share of people |
| :- | -: | -: | -: | -: |
${rows.join('\n')}

The command writes this table with \`-- --report\`. Its seed (${seed} here) fixes when people come. The lots come from the secret seed of
each sale, so they differ from run to run: the share of people in fair draws has a standard deviation of ${deviation} points over ${shown(sales * each)}
units. The command ends with 1 if \`shuffle\` or \`draw\` is farther than 3 points from the share by heads over at least 1,000 units. At
1,000 units that is three standard deviations, so fair lots fail it once in some 400 times. It also ends with 1 if the audit of a
sale fails, or if a buyer got an answer that is not true.

Lots give every account the same chance. A script with more accounts still gets more units: only the shop can tell people apart.
${nonPayers ? `\n${holdingOf(nonPayers)}` : ''}${passes ? `\n${worksOf(passes)}` : ''}`;
}

const wordsOf = ({ issued, refused, medianCpuMs }: Passes): string =>
  `${issued} passes issued, ${medianCpuMs} ms of CPU time each (median); ${refused} clicks without the buyer's pass refused`;

/** Writes the part about passes. */
function worksOf(passes: Passes): string {
  return `### Passes

A script with ${WORKED.accounts} accounts buys in a sale that needs passes (\`--pass --pass-work ${WORKED.work}\`): ${wordsOf(passes)}. Every
account has to do that work, and a phone takes some times as long ([passes.md](passes.md)). It keeps nobody out: it makes accounts cost something.
`;
}

/** Writes the part about accounts that never pay. */
function holdingOf(nonPayers: NonPayers): string {
  const rows = Object.entries(HOLDING_SALES).map(([name, { words, times }]) => {
    const { units, peopleUnits, heldMost } = nonPayers[name as HoldingSale];
    return `| ${words} | ${times} | ${peopleUnits} of ${units} | ${heldMost} |`;
  });
  return `### Accounts that never pay

To a sale of ${HOLDING.units} units come ${HOLDING.accounts} accounts that click once a second from the opening on and never pay, and
${HOLDING.people} people who click every 2 s from 1.5 s after it and pay at once. The time to pay is 20 s. With strikes, an account has two ends
without payment ([holding.md](holding.md)); the short second time to pay is 5 s for a unit that came back unpaid. Each ten accounts have a
group, and each person one of their own. A sale is judged after a multiple of the time to pay.

| Rules | Times the time to pay | People have paid | One account held units, at most |
| :- | -: | -: | -: |
${rows.join('\n')}

The command ends with 1 if people have paid fewer than 18 units in one of the last three sales, or if an account with strikes held a
third unit.

No rule asks for money before a unit is held. Where it is possible, \`--settlement immediate\` or a deposit at the shop does: then
nobody holds a unit without paying.
`;
}

/** Replaces the section about the simulation in a page, or adds it at the end. */
export function withSection(page: string, section: string): string {
  const start = page.indexOf(HEADING);
  if (start === -1) return page === '' ? section : `${page.trimEnd()}\n\n${section}`;
  const end = page.indexOf('\n## ', start);
  return `${page.slice(0, start)}${section}${end === -1 ? '' : page.slice(end)}`;
}
