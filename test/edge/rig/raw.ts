import { connect } from 'node:net';

/** An answer as it arrived. */
export interface RawAnswer {
  status: number;
  /** The headers, by their names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends bytes unchanged, and reads until the server closes the connection.
 *
 * @param port of 127.0.0.1
 * @param text a request that asks for the end of its connection, or malformed bytes
 * @returns the first answer
 */
export function sendRaw(port: number, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('close', () => resolve(parsed(answer)));
    socket.on('error', error => (answer === '' ? reject(error) : undefined));
  });
}

function parsed(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [first = '', ...lines] = answer.slice(0, end).split('\r\n');
  const headers = lines.map(line => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: answer.slice(end + 4),
  };
}

/** Writes a request without a body, as bytes for {@link sendRaw}. */
export function rawRequest(line: string, ...headers: string[]): string {
  return [line, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');
}
