import { compileTimeFormat, splitClock } from "../../../ingest/formats/time-format.js";

/** Seconds of the local time, or of the epoch; the offset after a slash where there is one. */
function read(format: string, text: string): string | undefined {
  const stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  const bytes = Buffer.from(text);
  if (!compileTimeFormat(format)(bytes, 0, bytes.length, stamp)) return undefined;
  if (!Number.isNaN(stamp.epoch)) return `@${stamp.epoch}`;
  const local = new Date((stamp.day * 86_400 + stamp.second) * 1000).toISOString().slice(0, 19);
  return Number.isNaN(stamp.offset) ? local : `${local}/${stamp.offset}`;
}

it.each([
  ["YYYY-MM-DD HH:mm", "2026-05-01 07:05", "2026-05-01T07:05:00"],
  ["YYYY-MM-DD HH:mm", "2026-5-1 7:5", "2026-05-01T07:05:00"],
  ["YYYY-MM-DD HH:mm", "2026-05-01 24:00", "2026-05-02T00:00:00"],
  ["YYYY-MM-DD", "2024-02-29", "2024-02-29T00:00:00"],
  ["MM/DD/YYYY hh:mm A", "12/31/2026 12:30 AM", "2026-12-31T00:30:00"],
  ["MM/DD/YYYY hh:mm A", "1/2/2026 12:30 pm", "2026-01-02T12:30:00"],
  ["DD-MM-YYYY HH:mm:ss", "31-12-2026 23:59:59", "2026-12-31T23:59:59"],
  ["YYYY-MM-DD HH:mm:ss.SSS", "2025-05-25 16:00:00.000", "2025-05-25T16:00:00"],
  ["DD-MMM-YYYY HH:mm", "01-Aug-2026 05:00", "2026-08-01T05:00:00"],
  ["MM/DD/YY HH:mm", "8/1/26 5:00", "2026-08-01T05:00:00"],
  ["MMDDYY", "080199", "1999-08-01T00:00:00"],
  ["MMMM DD, YYYY hh:mm A", "August 1, 2026 5:00 AM", "2026-08-01T05:00:00"],
  ["DD MMMM YYYY", "3 may 2026", "2026-05-03T00:00:00"],
  ["YYYYMMDDHHmm", "202605010101", "2026-05-01T01:01:00"],
  ["YYYY-MM-DDTHH:mm:ssZ", "2026-05-01T07:00:00Z", "2026-05-01T07:00:00/0"],
  ["YYYY-MM-DDTHH:mm:ssZ", "2026-05-01T07:00:00-07:00", "2026-05-01T07:00:00/-25200"],
  ["YYYY-MM-DDTHH:mm:ssZ", "2026-05-01T07:00:00+0930", "2026-05-01T07:00:00/34200"],
  ["YYYY-MM-DD HH:mmZ", "2026-05-01 07:00+14:00", "2026-05-01T07:00:00/50400"],
  ["X", "1721154384.66136", "@1721154384"],
  ["x", "1721154384661", "@1721154384"],
])("reads %s: %s", (format, text, expected) => {
  expect(read(format, text)).toBe(expected);
});

it.each([
  ["YYYY-MM-DD HH:mmZ", "2026-05-01 14:00-15:00"],
  ["YYYY-MM-DD HH:mm", "2026-02-29 00:00"],
  ["YYYY-MM-DD HH:mm", "2026-13-01 00:00"],
  ["YYYY-MM-DD HH:mm", "2026-05-01 24:01"],
  ["YYYY-MM-DD HH:mm", "2026-05-01 07:60"],
  ["YYYY-MM-DD HH:mm", "2026-05-01 07:05:00"],
  ["YYYY-MM-DD HH:mm", "2026-05-01"],
  ["YYYY-MM-DD HH:mm", ""],
  ["hh:mm A", "13:00 PM"],
  ["hh:mm A", "0:30 AM"],
  ["X", "-5"],
  ["X", "1e9"],
  ["X", "99999999999"],
])("refuses %s: %s", (format, text) => {
  expect(read(format, text)).toBeUndefined();
});

it("cuts a format into date and time of day", () => {
  expect(splitClock("DD MMM YYYY hh:mm A")).toEqual(["DD MMM YYYY", "hh:mm A"]);
  expect(splitClock("YYYY-MM-DD")).toEqual(["YYYY-MM-DD", ""]);
});
