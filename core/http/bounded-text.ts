/**
 * Reads the whole body of another server's HTTP answer, up to a limit. The limit keeps that server from filling our
 * memory.
 *
 * @param response an answer of `fetch` whose body is still unread
 * @param bytesMax the largest body accepted, in bytes
 * @returns the body as UTF-8
 * @throws Error when the body is larger; also the error of a connection that breaks
 */
export async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax)
      throw new Error(`the answer of ${new URL(response.url).host} is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
