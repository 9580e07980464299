import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileText } from "../../../ingest/pickup/file-bytes.js";
import { zipOf, type ZipMember } from "../../harness/zip.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-zip-"))));
afterAll(() => rmSync(folder, { recursive: true }));

interface How {
  readonly members?: string;
  readonly maxFileBytes?: number;
}

/** The texts of a file's members. */
async function texts(bytes: Buffer, { members = "*", maxFileBytes = 1 << 30 }: How = {}): Promise<string[]> {
  const path = join(folder, "file.zip");
  writeFileSync(path, bytes);
  const found: string[] = [];
  const text = await fileText(path, bytes.length, { members, maxFileBytes });
  expect(text.plain).toBe(false);
  for await (const chunks of text.texts()) {
    const pieces: Buffer[] = [];
    for await (const chunk of chunks) pieces.push(chunk);
    found.push(Buffer.concat(pieces).toString("utf8"));
  }
  expect(text.members).toHaveLength(found.length);
  return found;
}

const text = (name: string, bytes: string | Buffer): ZipMember => ({ name, bytes });

it("gives the members of a zip archive in the order of their names, each from its own encoding", async () => {
  const long = "é,1\n".repeat(400_000);
  const packed = zipOf([
    text("b/2.csv", long),
    text("b/", ""),
    text("a/1.csv", Buffer.from("\uFEFFa,b\n", "utf16le")),
    { ...text("c.csv", "stored\n"), method: 0 },
  ]);
  expect(await texts(packed)).toEqual(["a,b\n", long, "stored\n"]);
});

it("passes over folders, hidden names, what macOS adds, and what the source does not name", async () => {
  const packed = zipOf([
    text("folder/", ""),
    text(".DS_Store", "x"),
    text("__MACOSX/reads.csv", "x"),
    text("folder/.hidden.csv", "x"),
    text("readme.txt", "not to be read"),
    text("folder/READS.CSV", "a,b\n"),
  ]);
  expect(await texts(packed, { members: "*.csv" })).toEqual(["a,b\n"]);
});

it.each([
  [
    "an encrypted member",
    [{ ...text("a.csv", "a,b\n"), encrypted: true }],
    "Member 1 of the zip archive is encrypted",
  ],
  [
    "an unknown method",
    [text("a.csv", "1\n"), { ...text("b.csv", "x"), method: 14 }],
    "Member 2 .* method 14",
  ],
  ["a wrong checksum", [{ ...text("a.csv", "a,b\n"), crc: 1 }], "Member 1 of the zip archive is damaged"],
  [
    "a wrong size",
    [{ ...text("a.csv", "a,b\n".repeat(99)), size: 5 }],
    "Member 1 of the zip archive is damaged",
  ],
  ["no member to read", [text("folder/", "")], "None of the 1 members"],
  ["no member at all", [], "None of the 0 members"],
  ["a name that leads out of it", [text("../../etc/reads.csv", "a,b\n")], "outside of it"],
  ["a spreadsheet", [text("[Content_Types].xml", "<x/>"), text("sheet1.xml", "<x/>")], "spreadsheet"],
  ["an archive within it", [text("a.csv", zipOf([text("b.csv", "a,b\n")]))], "within the packed file"],
  ["gzip within it", [text("a.csv", gzipSync("a,b\n"))], "within the packed file"],
  [
    "too many members",
    Array.from({ length: 1001 }, (_, i) => text(`${i}.csv`, "")),
    "1001 members, more than 1000",
  ],
] as const)("refuses a zip archive with %s", async (_, members, message) => {
  await expect(texts(zipOf(members))).rejects.toThrow(new RegExp(message));
});

it("refuses a zip archive that was cut off at any byte, or of which one was changed, or reads it whole", async () => {
  const whole = zipOf([text("a.csv", "a,b\n".repeat(20)), text("b.csv", "c,d\n".repeat(20))]);
  const right = ["a,b\n".repeat(20), "c,d\n".repeat(20)];
  for (let length = 4; length < whole.length; length++)
    await expect(texts(whole.subarray(0, length))).rejects.toThrow(/zip archive/);
  let refused = 0;
  for (let at = 4; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x15;
    // A name or a date may change unseen; a byte of the text may not.
    await texts(changed).then(
      (found) => expect(found.sort()).toEqual(right),
      (error: Error) => {
        expect(error.name).toBe("FileRejected");
        refused++;
      },
    );
  }
  expect(refused).toBeGreaterThan(50);
});

it("refuses a zip bomb by its directory before it unpacks a byte, and one that lies about its size while it does", async () => {
  const zeros = Buffer.alloc(40 << 20, "1,2\n");
  const bomb = zipOf([text("a.csv", zeros), text("b.csv", zeros)]);
  await expect(texts(bomb)).rejects.toThrow("unpacks to more than");
  // Each member is within the limit, their sum is not.
  const many = zipOf(Array.from({ length: 200 }, (_, i) => text(`${i}.csv`, Buffer.alloc(1 << 20, "1,2\n"))));
  await expect(texts(many)).rejects.toThrow("unpacks to more than");
  await expect(texts(zipOf([{ ...text("a.csv", zeros), size: 100 }]))).rejects.toThrow(
    "Member 1 of the zip archive is damaged",
  );
  await expect(texts(zipOf([text("a.csv", "a,b\n".repeat(50))]), { maxFileBytes: 100 })).rejects.toThrow(
    "unpacks to more than 100",
  );
});
