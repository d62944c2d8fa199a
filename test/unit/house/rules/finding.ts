import { expect } from '@jest/globals';

/** One violation of a rule. */
export interface Finding {
  path: string;
  line?: number;
  /** The words or the name that break the rule, and what to write instead where that differs. */
  text: string;
}

/** Writes a finding as `file:line: text`, which a terminal makes a link. */
export function formatFinding({ path, line, text }: Finding): string {
  return `${line === undefined ? path : `${path}:${line}`}: ${text}`;
}

/** Fails with the advice and every finding. */
export function expectNone(findings: Finding[], advice: string): void {
  const list = findings.map(formatFinding).join('\n');
  expect(findings.length === 0 ? '' : `${advice} (${findings.length})\n${list}`).toBe('');
}
