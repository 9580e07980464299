import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parse } from "yaml";
import { parseConfig } from "../../../infra/config/load-config.js";
import { guess, guessText, isWhole, type Guess } from "../../../ingest/try/guess.js";
import { timeOf } from "../../../ingest/try/guess-time.js";
import { OAKVALE } from "../../harness/stores.js";
import { at, readText, type ProfileInput } from "../../harness/read-text.js";

const of = (text: string | Buffer) => guess({ head: Buffer.from(text as string), whole: true });
const openPaths = ({ open }: Guess) => open.map(({ path }) => path.replace("profile.", ""));

/** How a random file is written. */
interface Writing {
  readonly delimiter: "," | ";" | "\t" | "|";
  readonly decimal: "." | ",";
  readonly layout: "long" | "wide";
  readonly intervals: 24 | 48 | 96;
  readonly format: string;
  readonly names: readonly [meter: string, time: string, value: string];
  readonly header: boolean;
  readonly kind: "usage" | "register";
  readonly unitWord: string;
  readonly end: "\n" | "\r\n";
  readonly gzip: boolean;
  readonly order: readonly ("meter" | "time" | "value" | "unit")[];
}

const writing: fc.Arbitrary<Writing> = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  decimal: fc.constantFrom(".", ","),
  layout: fc.constantFrom("long", "wide"),
  intervals: fc.constantFrom(24, 48, 96),
  format: fc.constantFrom(
    "YYYY-MM-DD HH:mm",
    "YYYY-MM-DDTHH:mm:ss",
    "MM/DD/YYYY hh:mm A",
    "DD.MM.YYYY HH:mm",
    "DD-MMM-YYYY HH:mm",
    "YYYYMMDDHHmm",
  ),
  names: fc.constantFrom(
    ["meter_id", "read_time", "consumption"],
    ["Meter ID", "Timestamp", "Reading"],
    ["METER", "DATE", "VALUE"],
    ["Zähler", "Datum", "Wert"],
    ["Service Point", "Interval Start", "Volume"],
  ),
  header: fc.boolean(),
  kind: fc.constantFrom("usage", "register"),
  unitWord: fc.constantFrom("", "Gallons", "CCF", "m3"),
  end: fc.constantFrom("\n", "\r\n"),
  gzip: fc.boolean(),
  order: fc.shuffledSubarray(["meter", "time", "value", "unit"] as const, { minLength: 4 }),
});

const START = at("2026-01-01T00:00Z");
const two = (number: number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function stampOf(format: string, second: number): string {
  const date = new Date(second * 1000);
  const [hour, month] = [date.getUTCHours(), date.getUTCMonth()];
  return format
    .replace("YYYY", String(date.getUTCFullYear()))
    .replace("MMM", MONTHS[month]!)
    .replace("MM", two(month + 1))
    .replace("DD", two(date.getUTCDate()))
    .replace("HH", two(hour))
    .replace("hh", two(((hour + 11) % 12) + 1))
    .replace("mm", two(date.getUTCMinutes()))
    .replace("ss", "00")
    .replace(/\bA$/, hour < 12 ? "AM" : "PM");
}

/** A file of some meters and days, and the profile by which it was written. */
function written(how: Writing, meters: number, days: number, from: number, seed: number) {
  const { delimiter, decimal, layout, intervals, header, kind, unitWord, end, order, names } = how;
  const wide = layout === "wide";
  const format = wide ? how.format.replace(/[ T]?(HH|hh).*/, "") : how.format;
  const number = (value: number) => value.toFixed(2).replace(".", decimal);
  const field = (text: string) => (text.includes(delimiter) ? `"${text}"` : text);
  let state = seed;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  const seconds = wide ? 86_400 / intervals : 3_600;
  const valueNames = wide ? Array.from({ length: intervals }, (_, i) => `${names[2]}${i + 1}`) : [names[2]];
  const cellsOf = (meter: string, time: string, values: readonly string[], unit: string) =>
    order.flatMap((one) =>
      one === "meter"
        ? [meter]
        : one === "time"
          ? [time]
          : one === "unit"
            ? unitWord === ""
              ? []
              : [unit]
            : values,
    );
  const lines: string[] = [];
  if (header) lines.push(cellsOf(names[0], names[1], valueNames, "Unit").map(field).join(delimiter));
  for (let meter = 0; meter < meters; meter++) {
    let register = 1_000 + random() * 50_000;
    for (let day = 0; day < days; day++) {
      const values = Array.from({ length: 86_400 / seconds }, () => {
        const usage = random() < 0.3 ? 0 : Math.round(random() * 2_000) / 100;
        register += usage;
        return number(kind === "usage" ? usage : register);
      });
      const start = START + (from + day) * 86_400;
      const id = `W-${4_700 + meter}`;
      const rows = wide
        ? [cellsOf(id, stampOf(format, start), values, unitWord)]
        : values.map((value, i) => cellsOf(id, stampOf(format, start + i * seconds), [value], unitWord));
      for (const row of rows) lines.push(row.map(field).join(delimiter));
    }
  }
  const place = (what: (typeof order)[number], name: string) => {
    if (header) return name;
    const before = order.slice(0, order.indexOf(what));
    const widths = { meter: 1, time: 1, value: valueNames.length, unit: unitWord === "" ? 0 : 1 };
    return 1 + before.reduce((sum, one) => sum + widths[one], 0);
  };
  const profile: ProfileInput = {
    layout,
    delimiter,
    decimal,
    header,
    columns: {
      meter: place("meter", names[0]),
      time: place("time", names[1]),
      ...(wide ? { first: place("value", valueNames[0]!) } : { [kind]: place("value", names[2]) }),
      ...(unitWord === "" ? {} : { unit: place("unit", "Unit") }),
    },
    ...(wide ? { intervalsPerDay: intervals, wideValues: kind } : {}),
    time: { format, zone: "UTC", interval: seconds > 3_600 ? 3_600 : seconds },
  };
  return { text: lines.join(end) + end, profile };
}

/** The guess, with what it left open taken from the truth. */
function settled(found: Guess, truth: ProfileInput): ProfileInput {
  const profile = structuredClone(found.settings["profile"] ?? {}) as Record<string, unknown>;
  for (const path of openPaths(found)) {
    // A kind that is open stands under `columns.usage`; both are then taken from the truth.
    const paths = path === "columns.usage" ? ["columns.usage", "columns.register"] : [path];
    if (path === "columns.usage" || path === "columns.register")
      paths.push("columns.unit", "decimal", "thousands", "unit");
    if (path === "columns.time") paths.push("time.format", "time.interval", "columns.meter");
    if (path === "unit") paths.push("columns.unit");
    for (const one of paths) put(profile, one.split("."), one.split(".").reduce<unknown>(member, truth));
  }
  return { ...profile, time: { ...(profile["time"] as object), zone: "UTC" } };
}

function member(of: unknown, name: string): unknown {
  return (of as Record<string, unknown> | undefined)?.[name];
}

function put(of: Record<string, unknown>, [name, ...rest]: string[], value: unknown): void {
  if (rest.length > 0) put((of[name!] ??= {}) as Record<string, unknown>, rest, value);
  else if (value === undefined) Reflect.deleteProperty(of, name!);
  else of[name!] = value;
}

it("reads a random file by its guess as by its true profile, but for what the guess left open", () => {
  let whole = 0;
  fc.assert(
    fc.property(
      writing,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(364),
      fc.nat(1_000_000),
      (how, meters, days, from, seed) => {
        // Decimal commas between commas are quoted; without a header two columns of ids can't be told apart.
        const { text, profile } = written(how, meters, days, from, seed);
        const found = of(how.gzip ? gzipSync(text) : text);
        expect(found.settings["format"]).toBe("csv");
        if (isWhole(found)) whole++;
        const guessed = settled(found, profile);
        if (how.gzip) expect(guessed).toMatchObject({ compression: "gzip" });
        const [mine, true_] = [readText(text, guessed), readText(text, profile)];
        expect(mine.rejects).toEqual(true_.rejects);
        expect(mine.reads).toEqual(true_.reads);
      },
    ),
    { numRuns: 300, seed: 20_260_501 },
  );
  // It must not hide behind open questions.
  expect(whole).toBeGreaterThan(100);
});

it("prints a source that the configuration accepts where nothing blocks", () => {
  fc.assert(
    fc.property(writing, fc.nat(364), (how, from) => {
      const found = of(written(how, 3, 2, from, 7).text);
      fc.pre(isWhole(found));
      const source: unknown = parse(guessText(found, "reads.csv"));
      const text = JSON.stringify({ utilities: [{ ...OAKVALE, sources: [source] }] });
      const [read] = parseConfig(text, "curbstop.yaml", {}).config.utilities[0]!.sources;
      expect(read).toMatchObject({ format: "csv", profile: found.settings["profile"] });
    }),
    { numRuns: 60 },
  );
});

it("prints what is open so that it is a setting once its mark is taken away and one alternative is left", () => {
  const found = of("meter,device,when\nA,B,5/1/2026 0:00\nA,B,5/1/2026 1:00\n");
  const settledText = guessText(found, "reads.csv")
    .split("\n")
    .map((line) => line.replace(/^( *)#\? /, "$1").replace(/ \| .*/, ""))
    .join("\n");
  expect(parse(settledText)).toMatchObject({
    profile: { columns: expect.anything(), time: { format: "MM/DD/YYYY HH:mm" } },
  });
});

it("leaves day and month open where no day above 12 tells them apart", () => {
  expect(timeOf(["5/1/2026 0:00", "5/1/2026 1:00"], true)!.formats).toEqual([
    "MM/DD/YYYY HH:mm",
    "DD/MM/YYYY HH:mm",
  ]);
  expect(timeOf(["5/1/2026 0:00", "5/13/2026 1:00"], true)!.formats).toEqual(["MM/DD/YYYY HH:mm"]);
  const found = of("meter,time,usage\nA,5/1/2026 0:00,1\nA,5/1/2026 1:00,2\n");
  expect(isWhole(found)).toBe(false);
  expect(found.open).toContainEqual(
    expect.objectContaining({
      path: "profile.time.format",
      alternatives: ['"MM/DD/YYYY HH:mm"', '"DD/MM/YYYY HH:mm"'],
    }),
  );
});

it("takes an id of ten digits for no time, and epochs for times", () => {
  expect(timeOf(["1541000001", "1541000002"], false)).toBeUndefined();
  expect(timeOf(["1777644000", "1777647600"], false)!.formats).toEqual(["X"]);
  expect(timeOf(["1777644000000"], false)!.formats).toEqual(["x"]);
});

it("asks which rows are water used, where a word tells several of a time apart", () => {
  const rows = Array.from({ length: 12 }, (_, i) =>
    ["Import", "Export (m3)"].map((word) => `A,B-1,2026-05-01 ${two(i)}:00,${i % 5},${word}`),
  ).flat();
  const found = of(["meter,site,time,usage,Read Type", ...rows].join("\n") + "\n");
  expect(found.open).toContainEqual(
    expect.objectContaining({
      path: "profile.filters",
      alternatives: [
        '[{ column: "Read Type", only: ["Import"] }]',
        '[{ column: "Read Type", only: ["Export (m3)"] }]',
      ],
      blocks: true,
    }),
  );
  const settled = guessText(found, "f.csv").replace(/#\? filters: (\[.*?\]) \|.*/, "filters: $1");
  expect(parse(settled)).toMatchObject({
    profile: { filters: [{ column: "Read Type", only: ["Import"] }] },
  });
  // One kind alone, or a few rows that come twice, need no filter.
  const single = rows.filter((row) => row.endsWith("Import"));
  for (const some of [single, [...single, rows[1]!]])
    expect(openPaths(of(["meter,site,time,usage,Read Type", ...some].join("\n") + "\n"))).not.toContain(
      "filters",
    );
});

it("asks of numbers that are marks for no read", () => {
  const file = (mark: string) =>
    ["meter,time,usage", ...[3, 0, 5, mark, 2].map((value, i) => `A,2026-05-13 0${i}:00,${value}`)].join(
      "\n",
    );
  for (const mark of ["4294967294", "65535.00", "-999", "-1"]) {
    const open = of(file(mark)).open.find(({ path }) => path === "profile.noRead");
    expect(open).toMatchObject({
      blocks: true,
      alternatives: [expect.stringContaining(JSON.stringify(mark))],
    });
  }
  for (const mark of ["12", "99", "-0", "8000"]) expect(openPaths(of(file(mark)))).not.toContain("noRead");
});

it("asks what a 25th column of a day is, and takes one among the others for the repeated hour", () => {
  const file = (names: readonly string[], isExtra: (name: string) => boolean) =>
    [
      `meter,date,${names.join(",")}`,
      ...["2026-10-31", "2026-11-01", "2026-11-02"].map((day) =>
        ["A", day, ...names.map((name, i) => (isExtra(name) && !day.endsWith("-01") ? "" : i % 7))].join(","),
      ),
    ].join("\n") + "\n";
  const names = Array.from({ length: 24 }, (_, i) => `HE${two(i + 1)}`);
  const last = of(file([...names, "HE25"], (name) => name === "HE25"));
  expect(last.settings["profile"]).toMatchObject({ intervalsPerDay: 24, columns: { first: "HE01" } });
  expect(last.open).toContainEqual(expect.objectContaining({ path: "profile.time.wide", blocks: true }));
  const within = of(file([...names.slice(0, 2), "HE02X", ...names.slice(2)], (name) => name === "HE02X"));
  expect(within.settings["profile"]).toMatchObject({
    intervalsPerDay: 24,
    columns: { first: "HE01", repeated: "HE02X" },
  });
  expect(openPaths(within)).not.toContain("time.wide");
  expect(openPaths(of(file(names, () => false)))).not.toContain("time.wide");
});

it("knows a file of customers and their meters by its columns, and asks for what their words mean", () => {
  const cis = of(
    "Meter No.,Acct #,Premise ID,Customer Name,Start Date,Cust Class\n" +
      "M-1,A-1,L-1,Ann Doe,5/1/2024,R1\nM-2,A-2,L-2,Bo Roe,12/31/2023,commercial\n",
  );
  expect(cis.settings).toEqual({
    format: "crosswalk",
    crosswalk: {
      columns: {
        ...{ meter_id: "Meter No.", account_id: "Acct #", location_id: "Premise ID", name: "Customer Name" },
        ...{ move_in: "Start Date", class: "Cust Class" },
      },
      date: "MM/DD/YYYY",
    },
  });
  expect(cis.open).toMatchObject([
    { path: "crosswalk.classes", alternatives: ['{ "R1": null }'], blocks: true },
  ]);
  expect(guessText(cis, "cis.csv")).not.toMatch(/Ann|Roe|A-1|M-1/);
  const usual = of("meter_id;account_id;location_id;move_in\nM-1;A-1;L-1;2024-05-01\n");
  expect(usual.settings).toEqual({ format: "crosswalk", profile: { delimiter: ";" } });
  expect(isWhole(usual)).toBe(true);
  // Reads with an account and a premise are reads.
  const reads = of("meter_id,account_id,location_id,read_time,usage\nM-1,A-1,L-1,2026-05-13 00:00,3\n");
  expect(reads.settings["format"]).toBe("csv");
});

it("asks whether dates alone stand for days", () => {
  const once = of("meter,time,usage\nA,05/13/2026,7\nB,05/13/2026,8\n");
  expect(once.open).toContainEqual(
    expect.objectContaining({ path: "profile.time.interval", alternatives: ["86400"], blocks: true }),
  );
  const daily = of("meter,time,usage\nA,05/13/2026,7\nA,05/14/2026,8\n");
  expect(daily.settings["profile"]).toMatchObject({ time: { interval: 86_400 } });
});

it("leaves open whether three digits behind a comma are decimals or thousands", () => {
  const found = of("meter;time;usage\nA;2026-05-01 00:00;1,234\nA;2026-05-01 01:00;2,500\n");
  expect(openPaths(found)).toContain("decimal");
  const told = of("meter;time;usage\nA;2026-05-01 00:00;0,234\nA;2026-05-01 01:00;2,500\n");
  expect(told.settings["profile"]).toMatchObject({ decimal: "," });
  const grouped = of("meter;time;usage\nA;2026-05-01 00:00;1.234,5\nA;2026-05-01 01:00;2,5\n");
  expect(grouped.settings["profile"]).toMatchObject({ decimal: ",", thousands: "." });
});

it("takes apostrophes and blanks between thousands for what they are", () => {
  for (const [mark, thousands, decimal] of [
    ["'", "'", "."],
    ["\u2019", "'", "."],
    [" ", " ", ","],
    ["\u202f", " ", ","],
  ] as const) {
    const text =
      "Zähler;Zeit;Stand [m³]\n" +
      Array.from({ length: 24 }, (_, i) => `A;2026-05-13 ${two(i)}:00;1${mark}234${decimal}${two(i)}\n`).join(
        "",
      );
    const found = of(text);
    expect(found.settings["profile"]).toMatchObject({
      thousands,
      columns: { register: "Stand [m³]" },
      unit: "m3",
    });
    const { reads, rejects } = readText(text, (found.settings as { profile: ProfileInput }).profile);
    expect(rejects).toEqual([]);
    expect(reads.slice(0, 2).map(({ ml }) => ml)).toEqual([1_234_000_000, 1_234_010_000]);
  }
});

it("leaves a value column open that neither name nor values tell", () => {
  const found = of("meter,time,value\nA,2026-05-01 00:00,1\nA,2026-05-01 01:00,2\n");
  expect(openPaths(found)).toContain("columns.usage");
  expect(isWhole(found)).toBe(false);
});

it("believes neither a name that its values contradict", () => {
  const rows = Array.from({ length: 12 }, (_, i) => `A,2026-05-01 ${two(i)}:00,${100 + i}`);
  const found = of(["meter,time,usage", ...rows].join("\n") + "\n");
  expect(found.settings["profile"]).not.toHaveProperty("columns.usage");
  expect(openPaths(found)).toContain("columns.usage");
});

it("takes a column for no value whose name speaks of time", () => {
  const rows = Array.from({ length: 12 }, (_, i) => `A,2026-05-13 ${two(i)}:00,${i},${(i * 7) % 5}`);
  const found = of(["meter,time,hour_index,litres", ...rows].join("\n") + "\n");
  expect(found.settings["profile"]).toMatchObject({ columns: { usage: "litres" } });
  expect(found.settings["profile"]).not.toHaveProperty("columns.register");
});

it("finds date and clock apart, a preamble, a total row and stamps beside the hour", () => {
  const rows = Array.from({ length: 20 }, (_, i) => `A;13.05.2026;${two(i)}:59;${(i * 7) % 5},5`);
  const found = of(
    ["Export of reads;", "", "Zähler;Datum;Uhrzeit;Verbrauch", ...rows, "SUMME;;;9"].join("\n"),
  );
  expect(found.settings["profile"]).toEqual({
    delimiter: ";",
    decimal: ",",
    skipRows: 1,
    trailerRows: "SUMME",
    columns: { time: "Datum", clock: "Uhrzeit", meter: "Zähler", usage: "Verbrauch" },
    time: { format: "DD.MM.YYYY HH:mm", interval: 3600, snap: 60 },
  });
  expect(openPaths(found).sort()).toEqual(["time.stamp", "time.zone", "unit"]);
});

it("takes a channel where meters and times alone name no read", () => {
  const rows = ["A,L", "A,H", "B,L"].flatMap((meter) =>
    [0, 1, 2].map((hour) => `${meter},2026-05-13 0${hour}:00,${hour}.5`),
  );
  const found = of(["meter,channel,time,usage", ...rows].join("\n") + "\n");
  expect(found.settings["profile"]).toMatchObject({ columns: { channel: "channel" } });
});

it.each([
  [
    "utf-16le",
    Buffer.from("\uFEFFmeter,time,usage\nA,2026-05-13 00:00,1.5\n", "utf16le"),
    { encoding: "utf-16le" },
  ],
  ["latin1", Buffer.from("Z\xe4hler,time,usage\nA,2026-05-13 00:00,1.5\n", "latin1"), { encoding: "latin1" }],
  ["utf-8 with a mark", Buffer.from("\uFEFFmeter,time,usage\nA,2026-05-13 00:00,1.5\n"), {}],
])("tells the encoding %s", (_name, bytes, expected) => {
  const { settings } = of(bytes);
  expect(settings["profile"]).toMatchObject({ ...expected, columns: { time: "time", usage: "usage" } });
  if (!("encoding" in expected)) expect(settings["profile"]).not.toHaveProperty("encoding");
});

it.each([
  ["cmep", "MEPMD01,20080501,S,SPS:130000,4,W1,202605011458,,OK,W,GALREG,1.0,00000100,1,202605010001,R0,3\n"],
  ["nem", "100,NEM12,202605031135,MDP1,RETAILER\n200,6001234567,W1,1,W1,N1,WM-4711,kL,360,\n"],
  ["espi", '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom"></feed>\n'],
  ["json-lines", '{"_":"telegram","media":"water","id":"1","total_m3":1.5}\n'],
  ["fixed-width", "FHD0001\nCUS 1\nMTR 2\nRDG 3\n"],
  ["fixed-width", "COMHD 1\nRTEHD 1\n"],
  ["beacon-range", '"Meter_ID","Flow","Flow_Time","Flow_Unit"\n"1","5.0","2026-05-01 00:59","Gallons"\n'],
  ["csv", "AccountNumber,MeterSN,ScaledRead,ReadingTime\n7,456,0120.5,2026-05-01 16:00:00.000\n"],
])("recognises %s by its first records", (format, text) => {
  expect(of(text).settings["format"]).toBe(format);
});

it("says of what is no text, or an archive, that it can't tell", () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from("PK\u0003\u0004x"),
    Buffer.from([1, 0, 0, 2, 0, 0, 7, 9]),
  ]) {
    const found = of(bytes);
    expect(isWhole(found)).toBe(false);
    expect(found.open[0]!.why).toMatch(/empty|archive|no text/);
  }
});

it("survives any bytes, and what it prints is YAML", () => {
  const texts = ["meter,time,usage\nA,2026-05-01 00:00,1\n", "100,NEM12\n", "a;b\n1;2\n", "\x1f\x8b"];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...texts), (noise, text) => {
      const found = of(Buffer.concat([Buffer.from(text, "latin1"), noise]));
      expect(parse(guessText(found, "a\n: b"))).toMatchObject({ id: "ami" });
    }),
    { numRuns: 200 },
  );
});

const SAMPLES = "../shared/samples";
(existsSync(SAMPLES) ? it : it.skip)("recognises the public sample files", () => {
  const format = (path: string) => of(readFileSync(`${SAMPLES}/${path}`)).settings["format"];
  expect(format("beacon/range-export.csv")).toBe("beacon-range");
  expect(format("nem/Example_NEM12_actual_interval.csv")).toBe("nem");
  expect(format("greenbutton/Electric.xml")).toBe("espi");
  expect(format("wmbus/telegrams.jsonl")).toBe("json-lines");
});

it("leaves out the fire lines of an Aclara export, where its rows tell the kind of account", () => {
  const header = "MeterSN,ReadingTime,ScaledRead";
  const filters = [{ column: "AccountType", except: ["DETECTOR CHECK"] }];
  const row = "1,2026-05-01 16:00:00.000,1.5";
  expect(of(`${header},AccountType\n${row},Residential\n`).settings).toMatchObject({ profile: { filters } });
  expect(of(`${header}\n${row}\n`).settings["profile"]).not.toHaveProperty("filters");
});

describe("a row of units below the names", () => {
  const rows = ["1001", "1002"].flatMap((meter) =>
    ["00", "01", "02", "03"].map((hour, i) => `${meter},2026-01-01 ${hour}:00,${i % 3}`),
  );

  it("tells the unit, is left out by a filter, and all reads are taken", () => {
    const text = ["Meter,Read Time,Consumption", ",(UTC),(gal)", ...rows].join("\n");
    const guessed = of(text);
    const profile = guessed.settings["profile"] as ProfileInput;
    expect(profile).toMatchObject({
      unit: "gal",
      filters: [{ column: "Consumption", except: ["(gal)"] }],
      columns: { meter: "Meter", time: "Read Time", usage: "Consumption" },
    });
    expect(guessed.seen).toContain('the unit gal below the name "Consumption"');
    const { reads, rejects } = readText(text, { ...profile, time: { ...profile.time, zone: "UTC" } });
    expect(rejects).toEqual([]);
    expect(reads).toHaveLength(rows.length);
  });

  it("may have fewer cells than there are columns", () => {
    const text = [
      "Meter,Consumption,Read Time",
      ",gal",
      ...rows.map((row) => row.replace(/,(.*),(.*)/, ",$2,$1")),
    ].join("\n");
    expect(of(text).settings["profile"]).toMatchObject({
      unit: "gal",
      filters: [{ column: "Consumption", except: ["gal"] }],
    });
  });

  it("is none where a cell of it is a time or a number", () => {
    const text = [
      "Meter,Read Time,Consumption,Unit",
      "1003,2026-01-01 00:00,,gal",
      ...rows.map((row) => `${row},gal`),
    ].join("\n");
    expect(of(text).settings["profile"]).not.toHaveProperty("filters");
  });
});

describe("a file without a column of meters", () => {
  const hours = Array.from({ length: 30 }, (_, i) => `2026-05-13 ${two(i % 24)}:00`);
  const days = Array.from({ length: 20 }, (_, i) => `${two(i + 1)}/05/2026`);

  it("is asked for the place of the one meter's id, and read otherwise", () => {
    const rows = days.map((day, i) => `${day};${100 + 40 * i};${i % 7 === 0 ? 0 : 40 - i}`);
    const found = of(["date;index;consommation (litres)", ...rows].join("\n"));
    expect(found.settings["profile"]).toEqual({
      delimiter: ";",
      unit: "L",
      columns: { time: "date", register: "index", usage: "consommation (litres)" },
      time: { format: "DD/MM/YYYY", interval: 86_400 },
    });
    expect(found.open.filter(({ blocks }) => blocks)).toEqual([
      expect.objectContaining({
        path: "profile.meterFrom",
        alternatives: ['{ fileName: "{meter}.csv" }'],
      }),
    ]);
  });

  it("has the id above its table, behind a word that is told", () => {
    const preamble = ["Name,JANE SAMPLE,", "Meter Number:,40733,", "Report of,2026-06-01,"];
    const rows = hours
      .slice(0, 20)
      .map((hour, i) => `${hour} to ${hour.replace(":00", ":59")},${(i * 7) % 5},`);
    const text = [...preamble, "Time Period,Usage (gal),Notes", ...rows].join("\n");
    const found = of(text);
    expect(found.settings["profile"]).toMatchObject({
      skipRows: 3,
      unit: "gal",
      columns: { time: "Time Period", usage: "Usage (gal)" },
      time: { format: "YYYY-MM-DD HH:mm*", interval: 3600 },
    });
    const asked = found.open.find(({ path }) => path === "profile.meterFrom")!;
    expect(asked.alternatives).toEqual(['{ preamble: "Meter Number" }', '{ fileName: "{meter}.csv" }']);
    expect(guessText(found, "portal.csv")).not.toMatch(/40733|JANE/);
    const profile = found.settings["profile"] as ProfileInput;
    const settled: ProfileInput = {
      ...profile,
      meterFrom: parse(asked.alternatives[0]!) as { preamble: string },
    };
    const { reads, rejects } = readText(text, settled);
    expect(rejects).toEqual([]);
    expect(reads).toHaveLength(rows.length);
    expect(reads[1]).toMatchObject({ meter: "40733", delivered: 2, unit: "gal" });
  });

  it("has a column a meter, where numbers alone stand below names that are made as ids are", () => {
    const rows = hours.slice(0, 24).map((hour, i) => `${hour},${(i * 7) % 5},${(i * 3) % 4},0`);
    const found = of(["Timestamp,40733,40734,B-7", ...rows].join("\n"));
    expect(isWhole(found)).toBe(true);
    expect(found.settings["profile"]).toEqual({
      layout: "matrix",
      columns: { time: "Timestamp", first: 2 },
      time: { format: "YYYY-MM-DD HH:mm", interval: 3600 },
    });
    expect(guessText(found, "matrix.csv")).not.toMatch(/4073|B-7/);
    const registers = hours.slice(0, 24).map((hour, i) => `${hour},${i + 5},${2 * i + 3}`);
    expect(of(["Timestamp,M_1,M_2", ...registers].join("\n")).settings["profile"]).toMatchObject({
      layout: "matrix",
      wideValues: "register",
    });
    // A read's own words are no ids, however many of its columns are numbers.
    const words = hours.slice(0, 24).map((hour, i) => `${hour},${(i * 7) % 5},${i + 5}`);
    expect(of(["Timestamp,Usage 1,Reading 2", ...words].join("\n")).settings["profile"]).not.toHaveProperty(
      "layout",
    );
  });
});

describe("words for an estimate", () => {
  const rows = (words: readonly string[]) =>
    Array.from(
      { length: 20 },
      (_, i) => `M-${i % 2},2026-05-${two(i + 3)},${100 + i},${words[i % words.length]!}`,
    );
  const columnsOf = (name: string, words: readonly string[]) => {
    const { columns, quality } = of(["meter,date,reading," + name, ...rows(words)].join("\n")).settings[
      "profile"
    ] as ProfileInput;
    return [columns?.quality, quality?.estimated];
  };

  it.each([
    ["Index Mesuré/Estimé", ["Mesuré", "Estimé"], ["Estimé"]],
    ["Estimada", ["no", "sí"], ["sí"]],
    ["geschätzt", ["nein", "ja"], ["ja"]],
    ["data_source", ["actual", "estimated"], undefined],
    ["Tipo", ["leída", "estimada"], ["estimada"]],
  ])("are known in %p", (name, words, estimated) => {
    expect(columnsOf(name, words)).toEqual([name, estimated]);
  });

  it("are left to be told where one of them is not known", () => {
    expect(columnsOf("Estimated", ["no", "perhaps"])).toEqual([undefined, undefined]);
    expect(columnsOf("Note", ["no", "yes"])).toEqual([undefined, undefined]);
  });
});

it("takes of several spans the usage of the file's own interval, and no number of rows for a register", () => {
  const rows = Array.from(
    { length: 48 },
    (_, i) =>
      `${i + 1},M-1,2026-05-${two(13 + Math.floor(i / 24))} ${two(i % 24)}:00,${1000 + i * 2},${(i * 7) % 5},${300 - Math.floor(i / 24)}`,
  );
  const found = of(
    ["reading_id,meter_id,time,cumulative,hourly_consumption,daily_consumption", ...rows].join("\n"),
  );
  expect(found.settings["profile"]).toMatchObject({
    columns: { meter: "meter_id", time: "time", usage: "hourly_consumption", register: "cumulative" },
  });
});

it("takes the ends of spans for no offsets", () => {
  const rows = Array.from({ length: 48 }, (_, i) => {
    const day = `2026-05-${two(17 + Math.floor(i / 24))}`;
    return `M-1,${day} ${two(i % 24)}:00-${two((i + 1) % 24)}:00,${(i * 7) % 5}`;
  });
  // Of half a day each end could be an offset.
  for (const of12 of [rows, rows.slice(0, 12)])
    expect(of(["Meter,Time,Usage", ...of12].join("\n")).settings["profile"]).toMatchObject({
      time: { format: "YYYY-MM-DD HH:mm*", interval: 3600 },
    });
  const offsets = rows.map((row, i) => row.replace(/-\d\d:00,/, i < 24 ? "-07:00," : "-08:00,"));
  expect(of(["Meter,Time,Usage", ...offsets].join("\n")).settings["profile"]).toMatchObject({
    time: { format: "YYYY-MM-DD HH:mmZ" },
  });
});

describe("hours by their number", () => {
  const rows = (from: number, to: number) =>
    [1, 2, 3].flatMap((day) =>
      Array.from(
        { length: to - from + 1 },
        (_, i) => `ES1,${two(day + 12)}/01/2026,${from + i},${(i * 7) % 5}`,
      ),
    );
  const timeOf1 = (from: number, to: number, more: readonly string[] = []) => {
    const found = of(["CUPS,Fecha,Hora,Consumo", ...rows(from, to), ...more].join("\n"));
    expect(found.settings["profile"]).toMatchObject({
      columns: { meter: "CUPS", time: "Fecha", clock: "Hora", usage: "Consumo" },
    });
    return (found.settings["profile"] as ProfileInput).time;
  };

  it("from 1 to 24 are those of ends, with 25 they count the day's", () => {
    expect(timeOf1(1, 24)).toEqual({ format: "DD/MM/YYYY HH", stamp: "end", interval: 3600 });
    expect(timeOf1(0, 23)).toEqual({ format: "DD/MM/YYYY HH", interval: 3600 });
    expect(timeOf1(1, 24, ["ES1,25/10/2026,25,1"])).toMatchObject({ hours: "elapsed", stamp: "end" });
  });

  it("may be spans of the clock, and a last row may tell the sum", () => {
    const spans = Array.from(
      { length: 22 },
      (_, i) => `M-1,2026-04-18,${two(i)}:00-${two(i + 1)}:00,${(i * 7) % 5}`,
    );
    const found = of(["Meter,Date,Hour,Usage (L)", ...spans, ",,Total:,99"].join("\n"));
    expect(found.settings["profile"]).toMatchObject({
      columns: { meter: "Meter", time: "Date", clock: "Hour", usage: "Usage (L)" },
      time: { format: "YYYY-MM-DD HH:mm*", interval: 3600 },
      filters: [{ column: "Hour", except: ["Total:"] }],
    });
    expect(found.seen).toContain("a row of totals at the end, which a filter leaves out");
  });
});

describe("a date that is spread over columns", () => {
  const days = [1, 2, 3];
  const hours = Array.from({ length: 24 }, (_, i) => i);
  const profileOf = (lines: readonly string[]) => of(lines.join("\n")).settings["profile"];

  it("is read from all of them, with a number of the hour, minutes, or a clock beside it", () => {
    const rows = days.flatMap((day) =>
      hours.map((hour) => `M-1,2026,7,${day},${hour + 1},${(hour * 7) % 5}`),
    );
    expect(profileOf(["Meter,Year,Month,Day,Hour,Use (gal)", ...rows])).toEqual({
      columns: { meter: "Meter", time: ["Year", "Month", "Day"], clock: "Hour", usage: "Use (gal)" },
      time: { format: "YYYY MM DD HH", stamp: "end", interval: 3600 },
      unit: "gal",
    });
    const quarters = days.flatMap((day) =>
      hours.flatMap((hour) =>
        [0, 15, 30, 45].map((minute) => `2026;7;${day};${hour};${minute};M-1;${(hour + minute) % 7}`),
      ),
    );
    expect(profileOf(["YEAR;MONTH;DAY;HOUR;MINUTE;SITE METER;FLOW L", ...quarters])).toMatchObject({
      columns: { meter: "SITE METER", time: ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE"], usage: "FLOW L" },
      time: { format: "YYYY MM DD HH mm", interval: 900 },
    });
    const clocks = days.flatMap((day) =>
      hours.map((hour) => `M-1,Jul,${day},2026,${two(hour)}:00,${hour % 5}`),
    );
    expect(profileOf(["Meter,Month,Day,Year,Time,Usage", ...clocks])).toMatchObject({
      columns: { time: ["Year", "Month", "Day"], clock: "Time" },
      time: { format: "YYYY MMM DD HH:mm", interval: 3600 },
    });
  });

  it("is none where a column holds the date, and the numbers are no values", () => {
    const rows = Array.from({ length: 28 }, (_, i) => `M-1,2026-07-${two(i + 1)},2026,7,${(i * 7) % 5}`);
    expect(profileOf(["Meter,Date,Year,Month,Usage", ...rows])).toMatchObject({
      columns: { meter: "Meter", time: "Date", usage: "Usage" },
      time: { interval: 86_400 },
    });
    // No year, no month.
    const strange = Array.from({ length: 28 }, (_, i) => `M-1,${i},${i + 5},${(i * 7) % 5}`);
    expect(openPaths(of(["Meter,Year,Month,Usage", ...strange].join("\n")))).toContain("columns.time");
  });
});

describe("a table with a column a time", () => {
  const times = Array.from(
    { length: 48 },
    (_, i) => `2026-05-${two(17 + Math.floor(i / 24))} ${two(i % 24)}:00`,
  );
  const table = (names: readonly string[], value: (row: number, i: number) => string | number) =>
    of(
      [
        ["Meter ID", "Zone", ...names, "Total"].join(","),
        ...[1, 2, 3].map((row) => [`M-${row}`, "Z", ...names.map((_, i) => value(row, i)), 99].join(",")),
      ].join("\n"),
    );

  it("is known by the names of its columns, with what they hold", () => {
    const usage = table(times, (row, i) => (row * i * 7) % 5);
    expect(usage.settings["profile"]).toEqual({
      layout: "pivot",
      columns: { meter: "Meter ID" },
      time: { format: "YYYY-MM-DD HH:mm", interval: 3600 },
    });
    expect(openPaths(usage)).toEqual(["unit", "time.zone", "time.stamp"]);
    const days = Array.from({ length: 30 }, (_, i) => `4/${i + 1}/2026`);
    const register = table(days, (row, i) => 100 * row + 3 * i);
    expect(register.settings["profile"]).toMatchObject({
      ...{ layout: "pivot", wideValues: "register", columns: { meter: "Meter ID" } },
      time: { format: "MM/DD/YYYY" },
    });
  });

  it("asks where its values don't tell what they are, and which is the meter", () => {
    const few = of("Site,2026-05-01,2026-05-02,2026-05-03\n7,1,2,3\n");
    expect(openPaths(few)).toEqual(expect.arrayContaining(["columns.meter", "wideValues"]));
  });

  it("is one of bills where the times are months", () => {
    const months = table(["Jan-26", "Feb-26", "Mar-26", "Apr-26"], (row, i) => ((row * i * 7) % 5) + 3);
    expect(months.settings).toEqual({
      format: "billing",
      billing: {
        ...{ layout: "pivot", period: "month" },
        columns: { meter: "Meter ID" },
        time: { format: "MMM-YY" },
      },
    });
    expect(months.open.map(({ path }) => path)).toEqual(["billing.unit"]);
  });

  it("may be named after spans or epochs, and leaves a row of totals out", () => {
    const rows = ["M-1", "M-2"].map((meter, row) =>
      [meter, ...times.map((_, i) => (row * i * 7) % 5)].join(","),
    );
    const profileOf = (names: readonly string[], more: readonly string[] = []) =>
      of([["Meter", ...names].join(","), ...rows, ...more].join("\n")).settings["profile"];
    const spans = times.map((time, i) => `${time}-${two((i + 1) % 24)}:00`);
    expect(profileOf(spans)).toMatchObject({ time: { format: "YYYY-MM-DD HH:mm*", interval: 3600 } });
    const epochs = times.map((time) => String(Date.parse(`${time.replace(" ", "T")}Z`) / 1000));
    expect(profileOf(epochs)).toMatchObject({ layout: "pivot", time: { format: "X", interval: 3600 } });
    expect(profileOf(times, [["Grand Total", ...times.map(() => 9)].join(",")])).toMatchObject({
      layout: "pivot",
      filters: [{ column: "Meter", except: ["Grand Total"] }],
    });
  });

  it("is none where a column holds times: then the names are meters'", () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${times[i]!},${i % 3},${(i * 7) % 5},${i % 4}`);
    expect(of(["time,20260501,20260502,20260503", ...rows].join("\n")).settings["profile"]).toMatchObject({
      layout: "matrix",
    });
  });
});

describe("rows more than a day apart", () => {
  const months = Array.from({ length: 8 }, (_, i) => `2026-${two(i + 1)}-13`);
  const columnsOf = (header: string, row: (date: string, i: number) => string) =>
    of(
      [header, ...["A", "B"].flatMap((meter) => months.map((date, i) => `${meter},${row(date, i)}`))].join(
        "\n",
      ),
    );

  it("have registers to be read, whatever stands beside them as consumption", () => {
    const found = columnsOf("Meter,READ DT,READING,CONS", (date, i) => `${date},${100 + 9 * i},9`);
    expect(isWhole(found)).toBe(true);
    expect(found.settings["profile"]).toMatchObject({ columns: { register: "READING" } });
    expect(found.seen).toContain("CONS: what was used since the read before, which the registers tell");
  });

  it("have no interval where they tell consumption alone", () => {
    const found = columnsOf("Meter,Date,Consumption", (date, i) => `${date},${(i * 7) % 5}`);
    expect(isWhole(found)).toBe(false);
    expect(found.open.find(({ path }) => path === "profile.columns.register")!.why).toMatch(
      /so Consumption is what was used since another date, and none says which/,
    );
  });
});

it("takes of a time in UTC and by the local clock that in UTC, and believes a name that says so", () => {
  const stamp = (i: number, hours: number) =>
    new Date(Date.UTC(2026, 4, 13, i - hours)).toISOString().slice(0, 16).replace("T", " ");
  const rows = (local: boolean) =>
    Array.from(
      { length: 30 },
      (_, i) => `M-1,${stamp(i, 0)},${(i * 7) % 5}${local ? `,${stamp(i, 7)}` : ""}`,
    );
  const both = of(["meter_id,read_time,interval_value,read_time_local", ...rows(true)].join("\n"));
  expect(both.settings["profile"]).toMatchObject({
    columns: { meter: "meter_id", time: "read_time", usage: "interval_value" },
    time: { format: "YYYY-MM-DD HH:mm", zone: "UTC", interval: 3600 },
  });
  expect(both.seen).toContain("stamps in UTC, by the names of columns");
  const named = of(["meter_id,Read Time (UTC),Read (CF)", ...rows(false)].join("\n"));
  expect(named.settings["profile"]).toMatchObject({ time: { zone: "UTC" } });
  expect(openPaths(named)).not.toContain("time.zone");
});

it("asks whether values are still to be multiplied, and insists where that would change them", () => {
  const asked = (constants: readonly number[]) => {
    const rows = Array.from({ length: 30 }, (_, i) => {
      const hour = new Date(Date.UTC(2026, 4, 13, i)).toISOString().slice(0, 16).replace("T", " ");
      return `M-1,${hour},${(i * 7) % 5},${constants[i % constants.length]!}`;
    });
    const found = of(["meter_id,read_time,usage,multiplier", ...rows].join("\n"));
    return found.open.find(({ path }) => path === "profile.columns.multiplier")!;
  };
  expect(asked([1])).toMatchObject({ alternatives: ["multiplier"], blocks: false });
  expect(asked([1, 10])).toMatchObject({ alternatives: ["multiplier"], blocks: true });
});
