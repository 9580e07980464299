import { execFileSync } from "node:child_process";

it("keeps priorities and stops under load, and brings a file's leaks to the mail server", () => {
  // It ends with 1, so throws here, where a mail is missing, a bar is missed or somebody who stopped gets one.
  const out = execFileSync(process.execPath, ["dist/bench/alerts.js"], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", CURBSTOP_BENCH_SCALE: "0.1" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  expect(out).toMatch(/^decisions on 500 anomalies, 10000 contacts +[\d.]+ s/m);
  expect(out).toMatch(/^mails to who had stopped +0 /m);
  expect(out).toMatch(/^bursts that wait behind leaks +0 /m);
  expect(out).toMatch(/^file of 1000 meters to mail, p99 of 50 +[\d.]+ s/m);
}, 120_000);
