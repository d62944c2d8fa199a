import { describe, expect, test } from '@jest/globals';
import { isPerson, planVisitors } from '#stack/fairness/arrivals.js';
import { barsOf, type Run, sectionOf, withSection } from '#stack/fairness/page.js';
import { deviationOf, exitCodeOf, type Modes, unfairIn } from '#stack/fairness/share.js';

const VISITORS = { people: 800, accounts: 120 };
const TIMES = { joinsAtMs: 10_000, opensAtMs: 14_000 };

const plansOf = (opening: 'rush' | 'draw', seed: number) => planVisitors(VISITORS, { opening, times: TIMES, seed });

describe('the visitors of a sale', () => {
  test('the script begins 20 ms before the opening of a rush, and people react after it', () => {
    const plans = plansOf('rush', 1);
    const people = plans.filter(({ buyerId }) => isPerson(buyerId)).map(({ arrivesAtMs = 0 }) => arrivesAtMs);
    const script = plans.filter(({ buyerId }) => !isPerson(buyerId));
    expect([people.length, script.length]).toEqual([800, 120]);
    expect(new Set(script.map(({ arrivesAtMs, clicksEveryMs }) => `${arrivesAtMs} ${clicksEveryMs}`))).toEqual(
      new Set(['13980 15']),
    );
    expect(Math.min(...people)).toBeGreaterThanOrEqual(14_250);
    expect(Math.min(...people)).toBeLessThan(14_300);
    expect(Math.max(...people)).toBeLessThan(16_250);
    expect(Math.max(...people)).toBeGreaterThan(16_200);
  });

  test('all join a draw before its opening, the script at once', () => {
    const plans = plansOf('draw', 1);
    expect(new Set(plans.filter(({ clicksEveryMs }) => clicksEveryMs).map(({ arrivesAtMs }) => arrivesAtMs))).toEqual(
      new Set([9_980]),
    );
    expect(Math.max(...plans.map(({ arrivesAtMs = 0 }) => arrivesAtMs))).toBeLessThan(13_000);
  });

  test('the same seed gives the same times, and another one others', () => {
    expect(plansOf('draw', 7)).toEqual(plansOf('draw', 7));
    expect(plansOf('draw', 8)).not.toEqual(plansOf('draw', 7));
  });
});

describe('the share of people', () => {
  test('varies by a point over 1,000 units of fair draws', () => {
    expect(deviationOf(VISITORS, { units: 1_000, each: 100 })).toBeCloseTo(1, 1);
  });

  test.each<[string, Modes, number]>([
    ['within 3 points is fair', { draw: { units: 1_000, peopleUnits: 841 } }, 0],
    ['too small is unfair', { shuffle: { units: 1_000, peopleUnits: 839 } }, 1],
    ['too large is unfair', { draw: { units: 1_000, peopleUnits: 900 } }, 1],
    ['of few units proves nothing', { draw: { units: 999, peopleUnits: 0 } }, 0],
    ['of a rush is as it is', { rush: { units: 1_000, peopleUnits: 0 } }, 0],
  ])('%s', (_, modes, count) => {
    const unfair = unfairIn(modes, VISITORS);
    expect({ unfair: unfair.length, exitCode: exitCodeOf(unfair) }).toEqual({ unfair: count, exitCode: count });
  });
});

describe('the page about a run', () => {
  const run: Run = {
    visitors: VISITORS,
    sales: 10,
    each: 100,
    seed: 1,
    modes: { rush: { units: 1_000, peopleUnits: 0 }, draw: { units: 1_000, peopleUnits: 875 } },
  };

  test('has a row for each opening', () => {
    expect(sectionOf(run)).toContain('| 1,000 | 0 | 1,000 | 0.0 % |');
    expect(sectionOf(run)).toContain('| 1,000 | 875 | 125 | 87.5 % |');
    expect(sectionOf(run)).not.toContain('`shuffle`:');
  });

  test('has a row for each sale with accounts that never pay, if they came', () => {
    const nonPayers = {
      none: { units: 20, peopleUnits: 0, heldMost: 3 },
      strikes: { units: 20, peopleUnits: 12, heldMost: 2 },
      line: { units: 20, peopleUnits: 18, heldMost: 2 },
      noLine: { units: 20, peopleUnits: 20, heldMost: 1 },
      groups: { units: 20, peopleUnits: 19, heldMost: 1 },
    };
    const text = sectionOf({ ...run, nonPayers });
    expect(text).toContain('| strikes, a short second time to pay, standby | 3.5 | 18 of 20 | 2 |');
    expect(text).toContain('| the same with standby, one unit for each group | 1.5 | 19 of 20 | 1 |');
    expect(barsOf({ ...run, nonPayers })).toContain('people 90.0 % of 20 units; others never pay');
    expect(sectionOf(run)).not.toContain('never pay');
  });

  test('replaces the section of an earlier run, and leaves the others', () => {
    const page = withSection('# Fairness\n\n## Robots against people\n\nearlier\n\n## Next\n\ntext\n', sectionOf(run));
    expect(page.startsWith('# Fairness\n\n## Robots against people\n\n`npm run')).toBe(true);
    expect(page.endsWith('apart.\n\n## Next\n\ntext\n')).toBe(true);
    expect(withSection(page, sectionOf(run))).toBe(page);
    expect(page).not.toContain('earlier');
  });

  test('the bars show the share', () => {
    expect(barsOf(run).split('\n').slice(0, 2)).toEqual([
      `rush     ${'░'.repeat(40)}  people 0.0 % of 1000 units`,
      `draw     ${'█'.repeat(35)}${'░'.repeat(5)}  people 87.5 % of 1000 units`,
    ]);
  });
});
