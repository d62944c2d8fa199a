import { z } from 'zod';

// The addresses of Redis and Postgres are refused, decoded and validated in one way.

/** An address of a store is wrong. The message completes the name of its setting, and shows no part of it: it may be a password. */
export class StoreAddressError extends Error {
  override readonly name = 'StoreAddressError';
}

/**
 * Refuses an address of a store.
 *
 * @param why completes the name of the setting
 */
export function refuse(why: string): never {
  throw new StoreAddressError(why);
}

/** Decodes a part of an address; undefined if the part is not URL-encoded. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * Creates the validator of an address of a store.
 *
 * @param parse throws a {@link StoreAddressError} for a wrong address
 */
export function storeAddress(parse: (text: string) => unknown) {
  return z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });
}
