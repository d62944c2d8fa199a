import { expect } from '@jest/globals';
import { PROBLEMS, type ProblemCode, problemBody } from '#core/rules/errors.js';
import type { RawAnswer } from './raw.js';

/** Expects nginx to answer with the problem document that the API would send. */
export function expectProblem({ status, headers, body }: RawAnswer, code: ProblemCode): void {
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect({ status, body: JSON.parse(body) }).toEqual({ status: PROBLEMS[code].status, body: problemBody(code) });
}

/** Expects nginx to answer a browser with a page of our own. */
export function expectPage({ status, headers, body }: RawAnswer, code: ProblemCode): void {
  expect({ status, type: headers['content-type'], options: headers['x-content-type-options'] }).toEqual({
    status: PROBLEMS[code].status,
    type: 'text/html; charset=utf-8',
    options: 'nosniff',
  });
  expect(body).toContain(`<h1>${PROBLEMS[code].title}</h1>`);
  expect(body).not.toMatch(/nginx/i);
}
