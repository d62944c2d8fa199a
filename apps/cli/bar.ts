import { Progress } from '#core/values/progress.js';

const WIDTH = 30;
const END_OF_LINE = '\u001b[K';

/**
 * Shows on a terminal how much of a command's work is done, on standard error. The bar goes away when the work ends. If standard error is no
 * terminal, there is no progress to count.
 *
 * @throws every error of `work`
 */
export async function withBar<T>(work: (progress: Progress | undefined) => Promise<T>): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) return work(undefined);
  let shown = -1;
  const show = (share: number) => {
    const percent = Math.floor(100 * share);
    if (percent === shown) return;
    shown = percent;
    stderr.write(`\r[${'#'.repeat(Math.floor(WIDTH * share)).padEnd(WIDTH, '.')}] ${percent} %${END_OF_LINE}`);
  };
  try {
    return await work(new Progress(show));
  } finally {
    stderr.write(`\r${END_OF_LINE}`);
  }
}
