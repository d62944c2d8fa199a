/** Text that is HTML already. A page takes it without escaping. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value inside a page. The page shows nothing for undefined and false. */
export type Content = Html | string | number | undefined | false | Content[];

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The tag of HTML templates: escapes every value but Html. Attributes must be in double quotes. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(parts.map((part, i) => part + textOf(values[i])).join(''));
}

function textOf(value: Content): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(textOf).join('');
  if (value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, character => ESCAPES[character] ?? '');
}
