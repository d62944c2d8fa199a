import { PROBLEMS, problemBody } from '#core/rules/errors.js';
import type { ProblemKind, Retry } from '#core/rules/problems/kind.js';

const RETRY_WORDS: Record<Retry, string> = { no: 'no', after: 'after `Retry-After`', later: 'later' };

const kinds = Object.entries<ProblemKind>(PROBLEMS).sort(([, a], [, b]) => a.status - b.status);

/** Writes docs/errors.md from the one table of problems. The formatter still has to align its table. */
export function errorsPage(): string {
  const example = JSON.stringify(problemBody('not_open', { opensAt: '2026-11-27T18:00:00.000Z' }), null, 2);
  return `# Errors

Written by \`npm run docs:errors\` from \`core/rules/errors.ts\`. Change the table there, not this page.

The API and nginx answer every error as \`application/problem+json\` (RFC 9457). The console does so for programs, and shows a page to people:

\`\`\`json
${example}
\`\`\`

- \`code\` names the error. It is stable: let your program branch on it, not on \`title\` or \`detail\`.
- \`detail\`, where there is one, says more about this one answer. \`opensAt\` comes with \`not_open\` only.
- The column Retry says whether to send the same request again. \`no\`: change something first. \`later\`: it may succeed, but nobody knows when.
- Any answer with \`Retry-After\` may be repeated after that number of seconds.
- A time-out or a broken connection has no answer at all. Send the same call again: it cannot buy twice.

| Code | Status | Title | Retry |
| --- | ---: | --- | --- |
${kinds.map(([code, kind]) => `| [\`${code}\`](#${code}) | ${kind.status} | ${kind.title} | ${RETRY_WORDS[kind.retry]} |`).join('\n')}
${kinds.map(sectionOf).join('')}`;
}

function sectionOf([code, { status, title, cause, cure }]: [string, ProblemKind]): string {
  return `
## ${code}

${status}: ${title}.

- Cause: ${cause}
- Cure: ${cure}
`;
}
