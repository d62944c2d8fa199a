import type { Readable } from 'node:stream';

/** The end of what a process wrote, for the message when it fails; never more than `limitChars` of it. */
export interface OutputTail {
  /** Reads a stream from now on. */
  follow(stream: Readable | null): void;
  text(): string;
}

/**
 * @param limitChars how much of the end is kept
 * @returns what follows streams; it has followed none yet
 */
export function outputTail(limitChars: number): OutputTail {
  let tail = '';
  return {
    follow(stream) {
      stream?.setEncoding('utf8');
      stream?.on('data', (chunk: string) => {
        tail = (tail + chunk).slice(-limitChars);
      });
    },
    text: () => tail,
  };
}
