import { request } from 'node:http';

/** A stream of server-sent events, and what has come of it. */
export interface TestStream {
  seen: { text: string; status: number; ended: boolean };
  /** Returns the data of all messages, parsed. */
  events(): Record<string, unknown>[];
  /** Disconnects. */
  destroy(): void;
}

/** Opens an event stream on a connection of its own, and collects its text. */
export function streamOf(url: string, headers: Record<string, string>): TestStream {
  const seen = { text: '', status: 0, ended: false };
  const options = { headers: { accept: 'text/event-stream', ...headers }, agent: false };
  const outgoing = request(url, options, response => {
    seen.status = response.statusCode ?? 0;
    response.on('data', chunk => {
      seen.text += chunk;
    });
    response.on('end', () => {
      seen.ended = true;
    });
  });
  outgoing.on('error', () => undefined);
  outgoing.end();
  const events = () => [...seen.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(String(data)));
  return { seen, events, destroy: () => outgoing.destroy() };
}
