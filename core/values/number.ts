import { z } from 'zod';

/**
 * Creates the validator of a whole number that a person or a program wrote: as digits, or as a number of JSON. Other
 * spellings of a number are refused, so that `1e3` is never a thousand, and an empty text never zero.
 *
 * @param of `what` names the number in the message, such as `a port number`
 */
export function wholeNumber({ min, max, what = 'a whole number' }: { min: number; max: number; what?: string }) {
  const error = `must be ${what} from ${min} to ${max}`;
  const digits = z
    .string()
    .regex(/^\d{1,16}$/, error)
    .transform(Number);
  return z.union([digits, z.number()], error).pipe(z.int(error).min(min, error).max(max, error));
}
