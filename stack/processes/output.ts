import type { Readable } from 'node:stream';

/** The end of the output of a process, for the error message when the process fails. */
export interface OutputTail {
  /** Reads a stream from now on. */
  follow(stream: Readable | null): void;
  /** Returns the end of everything that was read, with all streams mixed. */
  text(): string;
}

/**
 * Creates an output tail that follows no stream yet.
 *
 * @param limitChars how many characters of the end are kept
 */
export function createOutputTail(limitChars: number): OutputTail {
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
