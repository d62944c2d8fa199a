import { PROBLEMS, type ProblemCode } from '#core/rules/errors.js';
import { type Html, html } from './html.js';
import { layout } from './layout.js';

/**
 * Returns the page that reports an error to an operator.
 *
 * @param detail the cause of the error, or the way out of it; may be empty
 */
export function problemPage(code: ProblemCode, detail = ''): Html {
  const { title } = PROBLEMS[code];
  return layout(
    { title },
    html`<section class="card"><h1>${title}</h1><p>${detail}</p><p><a class="button quiet" href="/">Back to the sales</a></p></section>`,
  );
}
