import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileText } from "../../../ingest/pickup/file-bytes.js";
import type { CsvProfile } from "../../../schemas/profile.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-decode-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface How {
  readonly encoding?: CsvProfile["encoding"];
  readonly compression?: CsvProfile["compression"];
  readonly maxBytes?: number;
  readonly strict?: boolean;
}

async function text(bytes: Buffer, how: How = {}): Promise<string> {
  const { encoding = "utf-8", compression = "auto", maxBytes = 1 << 30, strict = false } = how;
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  const source = { profile: { encoding, compression }, maxFileBytes: maxBytes, members: "*" };
  const chunks: Buffer[] = [];
  for await (const one of (await fileText(path, bytes.length, source)).texts(strict))
    for await (const chunk of one) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const SAMPLE = "meter,zeit\nZähler 1,€\n";
const utf16be = (sample: string) => Buffer.from(sample, "utf16le").swap16();

it("gives the same text from every encoding, with or without a byte order mark", async () => {
  const mark = "\uFEFF";
  await expect(text(Buffer.from(SAMPLE))).resolves.toBe(SAMPLE);
  await expect(text(Buffer.from(mark + SAMPLE))).resolves.toBe(SAMPLE);
  await expect(text(Buffer.from(mark + SAMPLE), { strict: true })).resolves.toBe(SAMPLE);
  for (const sample of [SAMPLE, mark + SAMPLE]) {
    await expect(text(Buffer.from(sample, "utf16le"), { encoding: "utf-16le" })).resolves.toBe(SAMPLE);
    await expect(text(utf16be(sample), { encoding: "utf-16be" })).resolves.toBe(SAMPLE);
  }
  // The mark tells the order, whatever the profile says.
  for (const encoding of ["utf-8", "latin1", "utf-16be"] as const)
    await expect(text(Buffer.from(mark + SAMPLE, "utf16le"), { encoding })).resolves.toBe(SAMPLE);
  await expect(text(utf16be(mark + SAMPLE))).resolves.toBe(SAMPLE);
  await expect(text(gzipSync(utf16be(mark + SAMPLE)))).resolves.toBe(SAMPLE);
  // Latin-1 as Windows writes it: 0x80 is the euro.
  await expect(
    text(Buffer.from(SAMPLE.replace("€", "\u0080"), "latin1"), { encoding: "latin1" }),
  ).resolves.toBe(SAMPLE);
  await expect(text(gzipSync(Buffer.from(mark + SAMPLE)), { compression: "gzip" })).resolves.toBe(SAMPLE);
  await expect(text(Buffer.alloc(0))).resolves.toBe("");
});

it("gives the bytes of a file of several chunks and of several gzip members", async () => {
  const long = "é,1\n".repeat(600_000);
  await expect(text(Buffer.from(long))).resolves.toBe(long);
  await expect(text(Buffer.from(long, "utf16le"), { encoding: "utf-16le" })).resolves.toBe(long);
  const members = Buffer.concat([gzipSync("a\n"), gzipSync("b\n")]);
  await expect(text(members, { compression: "gzip" })).resolves.toBe("a\nb\n");
});

it.each([
  ["UTF-16 without a mark", Buffer.from("a,b\n", "utf16le"), {}, "NUL bytes"],
  ["gzip where text must be", gzipSync("a,b\n"), { compression: "none" }, "The file is gzip, not text"],
  [
    "text where gzip must be",
    Buffer.from("a,b\n"),
    { compression: "gzip" },
    "not packed, or damaged, not gzip",
  ],
  ["gzip where zip must be", gzipSync("a,b\n"), { compression: "zip" }, "gzip, not zip"],
  [
    "a zip archive without its directory",
    Buffer.from("PK\u0003\u0004rest of it, too short"),
    {},
    "zip archive is cut off",
  ],
  ["gzip within gzip", gzipSync(gzipSync("a,b\n")), {}, "within the packed file"],
  ["Latin-1 where UTF-8 must be", Buffer.from([0x61, 0xe4, 0x0a]), { strict: true }, "not utf-8"],
  [
    "an odd number of bytes of UTF-16",
    Buffer.from([0x61, 0, 0x62]),
    { encoding: "utf-16le" },
    "not utf-16le",
  ],
  ["gzip that was cut off", gzipSync("a,b\n".repeat(5000)).subarray(0, 40), {}, "cut off"],
  ["gzip without its end", gzipSync("a,b\n").subarray(0, -4), {}, "cut off"],
  [
    "gzip that unpacks to a thousand times its size",
    gzipSync(Buffer.alloc(40 << 20)),
    { compression: "gzip" },
    "NUL|unpacks",
  ],
  [
    "gzip beyond the limit",
    gzipSync("a,b\n".repeat(50)),
    { compression: "gzip", maxBytes: 100 },
    "unpacks to more",
  ],
] as const)("refuses %s", async (_, bytes, how, message) => {
  await expect(text(bytes, how)).rejects.toThrow(new RegExp(message));
});

it("stops a gzip bomb of text early, in little memory", async () => {
  const bomb = gzipSync(Buffer.alloc(300 << 20, "1,2\n"), { level: 9 });
  const path = join(folder, "bomb");
  writeFileSync(path, bomb);
  const before = process.memoryUsage().rss;
  let bytes = 0;
  await expect(async () => {
    const source = { maxFileBytes: 1 << 40, members: "*" };
    for await (const one of (await fileText(path, bomb.length, source)).texts())
      for await (const chunk of one) bytes += chunk.length;
  }).rejects.toThrow("unpacks to more than");
  expect(bytes).toBeLessThan(220 * bomb.length);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
});
