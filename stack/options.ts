import { InvalidArgumentError } from 'commander';

/** A number of things, at least one. */
export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 is needed');
  return value;
}

/** A part of a whole. */
export function share(text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('a number from 0 to 1 is needed');
  return value;
}

/** Where an API is; paths begin at its root. */
export function url(text: string): string {
  if (!/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : ''))
    throw new InvalidArgumentError('a http(s) URL is needed');
  return new URL(text).origin;
}
