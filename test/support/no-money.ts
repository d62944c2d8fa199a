/** The amounts of a payment before its provider took anything, in minor units. */
export const NO_MONEY = {
  takenMinor: 0,
  refundMinor: 0,
  returnedMinor: 0,
  compensatedMinor: 0,
  withheldMinor: 0,
  lostMinor: 0,
} as const;
