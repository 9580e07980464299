import { once } from "node:events";
import { createWriteStream } from "node:fs";

/** Writes a text piece by piece, so that a large one needs no memory. */
export async function writeText(path: string, pieces: Iterable<string>): Promise<void> {
  const stream = createWriteStream(path, { highWaterMark: 1 << 20 });
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, "drain");
  stream.end();
  await once(stream, "finish");
}
