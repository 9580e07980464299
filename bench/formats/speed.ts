/**
 * Measures how fast each format is read, from bytes to the texts of blocks, and prints a table: `npm run bench:formats`.
 * Ends with 1 where a file does not hold what was written into it.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readInChild, sourceOf } from "./in-child.js";
import { FORMAT_FILES } from "./town.js";
import { writeText } from "./write-text.js";

/** Bytes that a file has at least. */
const BYTES = Number(process.env["CURBSTOP_BENCH_BYTES"] ?? 30_000_000);
const DAYS = 30;
const ROUNDS = 3;

const folder = mkdtempSync(join(tmpdir(), "curbstop-formats-"));
try {
  const lines = [["format", "MB", "reads", "MB/s", "million reads/s", "peak MB"]];
  for (const file of FORMAT_FILES) {
    const path = join(folder, "file");
    let sample = 0;
    for (const piece of file.text({ meters: 10, days: DAYS })) sample += Buffer.byteLength(piece);
    const meters = Math.min(file.mostMeters ?? Infinity, Math.ceil((10 * BYTES) / sample));
    const town = { meters, days: DAYS };
    await writeText(path, file.text(town));
    const bytes = statSync(path).size;
    const cost = await readInChild({ path, bytes, source: sourceOf(file), rounds: ROUNDS });
    const expected = town.meters * town.days * file.readsPerDay;
    if (cost.reads !== expected || cost.rejected > 0) {
      process.stderr.write(
        `${file.name}: ${cost.reads} reads of ${expected}, ${cost.rejected} rows rejected ${cost.refused ?? ""}\n`,
      );
      process.exitCode = 1;
    }
    const seconds = [...cost.seconds].sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
    lines.push([
      file.name,
      (bytes / 1e6).toFixed(1),
      cost.reads.toLocaleString("en"),
      (bytes / 1e6 / seconds).toFixed(0),
      (cost.reads / 1e6 / seconds).toFixed(2),
      cost.peakMb.toFixed(0),
    ]);
  }
  for (const line of lines) process.stdout.write(`| ${line.join(" | ")} |\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
