import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** From this level on pino's lines want attention: warnings and errors. */
const WARN = 40;

/** The most lines that a report lists of one process. The log files have the rest. */
const LISTED_MAX = 5;
const LINE_CHARS = 400;

/**
 * What a process says that doesn't get the processor in time, or that buyers reach before it is ready. It says nothing about
 * versions, and comes with every busy machine. Waiting too long for a lock isn't among it: a migration may hold the lock.
 */
const SLOW = [
  /missed execution at/,
  /took longer than \d+ ms/,
  /(?<!lock )time(d )?out/i,
  /in the given time|expired transaction/,
  /Stream isn't writeable/,
];

/** A warning or an error of a process, or something else that it printed. */
interface Complaint {
  /** The whole line. */
  line: string;
  /** The message, without the stack of an error. */
  text: string;
  /** Whether it comes from a slow machine. */
  slow: boolean;
}

/**
 * Reads what processes complained about. An upgrade without any fault is no reason for a complaint, and a slow machine none that
 * counts here.
 *
 * @param folder with a log of each process
 * @returns the complaints, each with its process
 */
export async function readComplaints(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  const logs = await Promise.all(names.map(async name => ({ name, complaints: await readLog(join(folder, name)) })));
  const isSlow = logs.some(({ complaints }) => complaints.some(({ slow }) => slow));
  return logs.flatMap(({ name, complaints }) => {
    const counted = complaints.filter(complaint => !complaint.slow && !isOrdinary(complaint, isSlow));
    const more = counted.length > LISTED_MAX ? [`log: ${name}: ${counted.length - LISTED_MAX} more`] : [];
    return [...counted.slice(0, LISTED_MAX).map(({ line }) => `log: ${name}: ${line.slice(0, LINE_CHARS)}`), ...more];
  });
}

async function readLog(file: string): Promise<Complaint[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '');
  return lines.flatMap(line => {
    const text = complaintIn(line);
    return text === undefined ? [] : [{ line, text, slow: SLOW.some(pattern => pattern.test(text)) }];
  });
}

/** Returns the complaint in a line, if there is one. A line that is no log line is a complaint, too. */
function complaintIn(line: string): string | undefined {
  try {
    const { level, msg, err } = JSON.parse(line);
    return level >= WARN ? `${msg}: ${err?.message ?? ''}` : undefined;
  } catch {
    return line;
  }
}

/**
 * A worker may find a sale in Postgres before the command that makes the sale has loaded it into Redis: then the worker does it. Calls
 * that are under way while the keys in Redis are moved find no sale. And on a slow machine reconcile sets right what a call that
 * came too late has left behind.
 */
function isOrdinary({ line, text }: Complaint, isSlow: boolean): boolean {
  const isNewSale = text.startsWith('sale rebuilt from Postgres') && line.includes('"claims":0');
  const isMoved = /in Redis: unknown_sale|the keys of the sales were moved/.test(text);
  return isNewSale || isMoved || (isSlow && text.startsWith('repaired'));
}
