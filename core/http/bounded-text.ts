/**
 * Reads a body to its end, but not without one: what others send must not fill our memory.
 *
 * @param response an answer whose body nobody has read
 * @param bytesMax the most bytes of it
 * @returns its text, as UTF-8
 * @throws when it is longer, and what breaks off the reading
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
