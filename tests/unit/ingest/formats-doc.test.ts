import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { parse } from "yaml";
import { REJECT_CODES } from "../../../ingest/check/rejects.js";
import { readCrosswalk } from "../../../ingest/registry/crosswalk.js";
import { parseConfig } from "../../../infra/config/load-config.js";
import { csvProfile } from "../../../schemas/profile.js";
import { OAKVALE } from "../../harness/stores.js";
import { at, readText } from "../../harness/read-text.js";

const PAGE = readFileSync("docs/formats.md", "utf8");

/** The blocks of code under an example's mark, by language. */
function example(name: string): Record<string, string> {
  const part = PAGE.split(`<!-- example: ${name} -->`)[1]!.split("<!-- example")[0]!;
  return Object.fromEntries(
    [...part.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, language, text]) => [language, text]),
  );
}

function sourceOf(yaml: string) {
  const source = { id: "ami", folder: "drop", ...(parse(yaml) as object) };
  const input = { utilities: [{ ...OAKVALE, sources: [source] }] };
  const { config } = parseConfig(JSON.stringify(input), "curbstop.yaml", {});
  return config.utilities[0]!.sources[0]!;
}

function read(name: string) {
  const { yaml, csv } = example(name);
  const found = readText(csv!, sourceOf(yaml!).profile!);
  expect(found.rejects).toEqual([]);
  return found.reads;
}

it("reads the example of layout long", () => {
  expect(read("long")).toMatchObject([
    { meter: "M-1", time: at("2026-05-01T07:00Z"), delivered: 1234.5, unit: "gal", flags: 0 },
    { time: at("2026-05-01T08:00Z"), delivered: 7.5, flags: 1 },
    { time: at("2026-05-01T09:00Z"), ml: null },
  ]);
});

it("reads the example of registers", () => {
  expect(read("register")).toMatchObject([
    { meter: "00123", serial: "A77", kind: "register", time: at("2026-05-01T07:15Z"), delivered: 999_998 },
    { serial: "A77", delivered: 2 },
    { serial: "B01", delivered: 0 },
  ]);
});

it("reads the example of layout wide", () => {
  const reads = read("wide");
  expect(reads).toHaveLength(24);
  expect(reads[6]).toMatchObject({ time: at("2026-05-01T13:00Z"), delivered: 0.02, unit: "ccf" });
  expect(reads[23]!.ml).toBeNull();
});

it("reads the example of a file of one meter", () => {
  expect(read("one-meter")).toMatchObject([
    { meter: "40733", time: at("2026-05-01T07:00Z"), length: 3600, delivered: 0.25, unit: "gal" },
    { meter: "40733", time: at("2026-05-01T08:00Z"), delivered: 12 },
  ]);
});

it("reads the example of layout matrix", () => {
  const first = { kind: "register", time: at("2026-05-01T00:00Z"), length: 0, unit: "m3" };
  expect(read("matrix")).toMatchObject([
    { ...first, meter: "M-1", ml: 120_551_000 },
    { ...first, meter: "M-2", ml: 9_200_000 },
    { ...first, meter: "M-3", ml: 77_000_000 },
    { meter: "M-1", time: at("2026-05-01T01:00Z"), ml: 120_553_000 },
    { meter: "M-2", ml: null },
    { meter: "M-3", ml: 77_000_000 },
  ]);
});

it("reads the example of layout pivot", () => {
  expect(read("pivot")).toMatchObject([
    {
      meter: "M-1",
      kind: "usage",
      time: at("2026-05-01T07:00Z"),
      length: 86_400,
      unit: "gal",
      delivered: 120,
    },
    { meter: "M-1", time: at("2026-05-02T07:00Z"), delivered: 96.5 },
    { meter: "M-1", delivered: 0 },
    { meter: "M-2", delivered: 310 },
    { meter: "M-2", ml: null },
    { meter: "M-2", time: at("2026-05-03T07:00Z"), delivered: 287 },
  ]);
});

it("reads the example of a preset with additions", () => {
  expect(read("beacon")).toMatchObject([{ meter: "130615549", time: at("2026-05-01T07:00Z"), length: 900 }]);
});

it("reads the examples of crosswalks", async () => {
  const crosswalk = async (name: string) => {
    const { yaml, csv } = example(name);
    const options = yaml === undefined ? undefined : sourceOf(yaml).crosswalk;
    const texts = Readable.from([Readable.from([Buffer.from(csv!)])]);
    const rows = [];
    for await (const portion of readCrosswalk(texts, OAKVALE.timeZone, csvProfile.parse({}), options)) {
      expect(portion.rejects).toEqual([]);
      rows.push(...portion.rows);
    }
    return rows;
  };
  const row = { meterId: "M-1", locationId: "L-7", moveIn: at("2024-02-01T08:00Z") };
  expect(await crosswalk("crosswalk")).toMatchObject([{ ...row, address: "1 Main St, Apt 2" }]);
  expect(await crosswalk("crosswalk-own")).toMatchObject([
    { ...row, settings: [{ from: 0, class: "single-family" }] },
  ]);
});

it("takes the example of a source as configuration", () => {
  const [, source] = /```yaml\n(utilities:[^]*?)```/.exec(PAGE)!;
  expect(parseConfig(source!, "curbstop.yaml", {}).config.utilities[0]!.sources).toHaveLength(1);
});

it("explains every reject code with what the command says, and every option of a profile", () => {
  // Columns of tables are padded.
  const page = PAGE.replace(/ +/g, " ");
  for (const [code, expected] of Object.entries(REJECT_CODES))
    expect(page).toContain(`| \`${code}\` | ${expected} |`);
  const time = csvProfile.parse({}).time;
  const options = [...Object.keys(csvProfile.shape), ...Object.keys(time).map((name) => `time.${name}`)];
  for (const option of options) expect(page).toContain(`\`${option}`);
});
