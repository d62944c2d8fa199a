/** Text that is HTML already, and may be put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a page; nothing is shown for undefined and false. */
export type Content = Html | string | number | undefined | false | Content[];

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Makes HTML. Every value is escaped, unless it was made here itself; attributes must be in double quotes.
 *
 * @param parts the template
 * @param values what comes between
 * @returns the HTML
 */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(parts.map((part, i) => part + textOf(values[i])).join(''));
}

function textOf(value: Content): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(textOf).join('');
  if (value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, character => ESCAPES[character] ?? '');
}
