import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Expected } from "../../bench/evaluate/expected.js";
import { packageRoot } from "../../infra/package-root.js";
import { DATA_SETS, itWithData } from "../harness/data-sets.js";

/** From `dist`: Jest's own world takes several times as long for it. */
function reached(): Expected {
  const folder = mkdtempSync(join(tmpdir(), "curbstop-evaluation-"));
  try {
    const path = join(folder, "reached.json");
    const options = ["--expect", "--data", DATA_SETS, "--json", path];
    execFileSync(process.execPath, ["dist/bench/evaluate/main.js", ...options], {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    return JSON.parse(readFileSync(path, "utf8")) as Expected;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const title = "the detector finds on real homes what it found before, as soon, and alerts no more";
itWithData(title, [
  "daiad/swm_trialA.csv.gz",
  "karratha/hourly_litres.csv.gz",
  "ampds2/whole_house_1min.csv.gz",
])(
  title,
  () => {
    const path = join(packageRoot(), "bench", "evaluate", "expected.json");
    const expected = JSON.parse(readFileSync(path, "utf8")) as Expected;
    const now = reached();
    expect(Object.keys(now.leaks)).toEqual(Object.keys(expected.leaks));
    const worse: string[] = [];
    for (const [cell, before] of Object.entries(expected.alerts)) {
      // A tenth, and one: so much is chance on so few homes.
      if (now.alerts[cell]! > before * 1.1 + 1)
        worse.push(`${cell}: ${now.alerts[cell]} alerts, ${before} before`);
    }
    for (const [cell, before] of Object.entries(expected.leaks)) {
      const { runs, found, median } = now.leaks[cell]!;
      expect(runs).toBe(before.runs);
      if (found < before.found - Math.max(1, runs / 10))
        worse.push(`${cell}: ${found} found, ${before.found} before`);
      if (before.median !== null && (median ?? Infinity) > before.median * 1.2 + 2)
        worse.push(`${cell}: ${median} h, ${before.median} h before`);
    }
    expect(worse).toEqual([]);
  },
  240_000,
);
