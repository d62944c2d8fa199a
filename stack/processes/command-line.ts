import { InvalidArgumentError } from 'commander';

/**
 * Parses a count from a command line.
 *
 * @throws InvalidArgumentError unless the text is a whole number from 1
 */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 is needed');
  return value;
}

/**
 * Parses a share of a whole from a command line.
 *
 * @throws InvalidArgumentError unless the text is a number from 0 to 1
 */
export function parseShare(text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('a number from 0 to 1 is needed');
  return value;
}

/**
 * Parses the address of an API from a command line.
 *
 * @returns the origin only, because the paths of an API begin at its root
 * @throws InvalidArgumentError unless the text is an http or https URL
 */
export function parseOrigin(text: string): string {
  if (!/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : ''))
    throw new InvalidArgumentError('an http(s) URL is needed');
  return new URL(text).origin;
}
