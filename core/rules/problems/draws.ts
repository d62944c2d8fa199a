/** The problems of the routes of a draw, in the form of `ProblemKind` (core/rules/errors.ts). */
export const DRAW_PROBLEMS = {
  no_draw: {
    status: 404,
    title: 'This sale has no draw',
    cause: 'The sale opens with a rush: units go to the first clicks, and nothing is drawn.',
    cure: 'Read `opening` in `/sales/:saleId`: only `shuffle` and `draw` have a draw.',
    retry: 'no',
  },
  unknown_chunk: {
    status: 404,
    title: 'The list has no such part',
    cause: 'The list of a draw is published when it is closed, in parts of `chunkEntries` entries, numbered from 0.',
    cure: 'Read `/draws/:saleId`: the parts end with the last of its `entries`. Without `root`, ask again after the opening.',
    retry: 'no',
  },
  no_entry: {
    status: 404,
    title: 'You have no entry in the list',
    cause: 'The buyer did not join before the opening, or left before the list was closed.',
    cure: 'Tell the buyer. If there is a receipt of an entry, show it at `/order-status` first: it brings back what was lost.',
    retry: 'no',
  },
  late_entry: {
    status: 404,
    title: 'This entry is not in the published list',
    cause:
      'Its receipt came back after the list was closed, or the buyer left before, and came again after the opening.',
    cure: 'Tell the buyer: an entry that came back has its lot by the same rule, but no proof. Read `/order-status`.',
    retry: 'no',
  },
} as const;
