/** Trusted HTML. The template tag `html` inserts it without escaping. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value that the template tag `html` can insert into a page. It inserts nothing for undefined and false. */
export type Content = Html | string | number | undefined | false | Content[];

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * The template tag for HTML: escapes every inserted value, except Html, which is trusted. Attribute values in a
 * template must be in double quotes.
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
