import { connect } from 'node:net';

/**
 * Sends raw bytes to a port of this machine.
 *
 * @param isComplete whether the client has read enough, and closes the connection; by default the server closes it
 * @returns the bytes of the answer
 */
export function sendRaw(
  port: number,
  text: string,
  isComplete: (answer: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', chunk => {
      answer += chunk;
      if (isComplete(answer)) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', error => (answer === '' ? reject(error) : undefined));
  });
}
