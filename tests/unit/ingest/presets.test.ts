import { existsSync, readFileSync } from "node:fs";
import { parseConfig } from "../../../infra/config/load-config.js";
import type { CsvProfile } from "../../../schemas/profile.js";
import { OAKVALE } from "../../harness/stores.js";
import { at, readText } from "../../harness/read-text.js";

const SAMPLE = "../shared/samples/beacon/range-export.csv";

function profile(source: object): CsvProfile {
  const input = { utilities: [{ ...OAKVALE, sources: [{ id: "ami", folder: "drop", ...source }] }] };
  return parseConfig(JSON.stringify(input), "curbstop.yaml", {}).config.utilities[0]!.sources[0]!.profile!;
}

const HEADER =
  '"Account_ID","Endpoint_SN","Estimated_Flag","Flow","Flow_Time","Flow_Unit","Location_Address_Line1","Meter_ID","Read","Read_Unit","Register_Number"';
const line = (
  time: string,
  more: Partial<Record<"meter" | "flow" | "register" | "estimated", string>> = {},
) =>
  `"77","130615549","${more.estimated ?? "0"}","${more.flow ?? "5.0"}","${time}","Gallons","5391 E. MYSTREET, ""B""","${more.meter ?? "14701"}","227.6","CCF","${more.register ?? ""}"`;

describe("BEACON range export", () => {
  it("reads flow and register with their units, stamps that end at hh:59, registers apart, estimates flagged", () => {
    const { reads, rejects } = readText(
      [HEADER, line("2024-08-01 00:59"), line("2024-08-01 01:59", { register: "H", estimated: "1" })].join(
        "\r\n",
      ),
      profile({ format: "beacon-range" }),
    );
    expect(rejects).toEqual([]);
    expect(reads).toMatchObject([
      {
        kind: "usage",
        meter: "14701",
        time: at("2024-08-01T07:00Z"),
        length: 3600,
        ml: 18_927,
        unit: "gal",
        flags: 0,
      },
      { kind: "register", time: at("2024-08-01T07:59Z"), unit: "ccf", ml: 644_491_428, channel: "" },
      { kind: "usage", channel: "H", time: at("2024-08-01T08:00Z"), flags: 1 },
      { kind: "register", channel: "H", flags: 1 },
    ]);
  });

  it("takes additions to the preset, and takes away what is null", () => {
    const quarter = profile({
      format: "beacon-range",
      profile: {
        columns: { meter: "Endpoint_SN", register: null, registerUnit: null },
        time: { interval: 900 },
      },
    });
    expect(quarter.columns).toMatchObject({ meter: "Endpoint_SN", usage: "Flow", time: "Flow_Time" });
    const { reads } = readText([HEADER, line("2024-08-01 00:14")].join("\n"), quarter);
    expect(reads).toMatchObject([
      { meter: "130615549", kind: "usage", time: at("2024-08-01T07:00Z"), length: 900 },
    ]);
    expect(reads).toHaveLength(1);
  });

  it("says which addition is wrong", () => {
    expect(() => profile({ format: "beacon-range", profile: { time: { interval: 1 } } })).toThrow(
      /sources\[0\]\.profile\.time\.interval/,
    );
    expect(() => profile({ format: "beacon-range", profile: 7 })).toThrow(/profile/);
  });

  const real = existsSync(SAMPLE) ? it : it.skip;
  real(`reads the public sample (${SAMPLE}${existsSync(SAMPLE) ? "" : " is absent: skipped"})`, () => {
    const text = readFileSync(SAMPLE);
    // The sample leaves Meter_ID empty: the radio names the meter.
    const found = readText(
      text,
      profile({ format: "beacon-range", profile: { columns: { meter: "Endpoint_SN" } } }),
    );
    expect([found.rows, found.rejected]).toEqual([2, 0]);
    expect(found.reads.map(({ meter, kind, time, ml }) => [meter, kind, time, ml])).toEqual([
      ["130615549", "usage", at("2024-08-01T07:00Z"), 18_927],
      ["130615549", "register", at("2024-08-01T07:59Z"), 644_491_428],
      ["130615549", "usage", at("2024-08-01T08:00Z"), 18_927],
      ["130615549", "register", at("2024-08-01T08:59Z"), 644_491_428],
    ]);
  });
});

describe("a csv profile", () => {
  const csv = (given: object) => () => profile({ format: "csv", profile: given });
  it("must name meter, time and a value", () => {
    expect(csv({ columns: { usage: "u" } })).toThrow(/columns\.meter: missing[^]*columns\.time: missing/);
    expect(csv({ columns: { meter: "m", time: "t" } })).toThrow("names no value");
    expect(csv({ layout: "wide", columns: { meter: "m", time: "t" } })).toThrow("columns.first");
    expect(() => profile({ format: "csv" })).toThrow("needs a profile");
  });
  it("must have marks that differ and a format that has what its columns hold", () => {
    const columns = { meter: "m", time: "t", usage: "u" };
    expect(csv({ columns, delimiter: ";", quote: ";" })).toThrow("profile.quote");
    expect(csv({ columns, decimal: ",", thousands: "," })).toThrow("profile.thousands");
    expect(csv({ columns, delimiter: "¦" })).toThrow("one ASCII character");
    expect(csv({ columns: { ...columns, clock: "c" }, time: { format: "YYYY-MM-DD" } })).toThrow(
      "no time of day",
    );
    expect(csv({ columns, time: { zone: "Mars/Olympus" } })).toThrow("IANA time zone");
  });
});
