import { Readable } from "node:stream";
import { readCrosswalk } from "../../../ingest/registry/crosswalk.js";
import { readTemperatures } from "../../../ingest/weather/temperatures.js";
import { FileRejected } from "../../../ingest/formats/format.js";
import { seeded } from "../../../bench/random.js";
import { csvProfile } from "../../../schemas/profile.js";
import { temperatureOptions } from "../../../schemas/formats/temperatures.js";
import { cutsOf, FUZZ, mutated, NOW } from "../../harness/read-format.js";
import { readText, type ProfileInput } from "../../harness/read-text.js";

const hours = Array.from({ length: 8 }, (_, i) => `2026-05-0${1 + (i % 3)} 0${i}:00`);
const LONG = [
  "meter,time,usage,register,unit,quality",
  ...hours.map((hour, i) => `M${i % 2},${hour},${i}.5,${100 + i},gal,E`),
];
const WIDE = ["meter,date,h1", ...hours.map((hour) => `M1,${hour.slice(0, 10)},${"1,2.5,,0,".repeat(6)}`)];
const MATRIX = ["time,M-1,M-2,M-3", ...hours.map((hour, i) => `${hour},${i},,2.5`)];
const PIVOT = [`meter,note,${hours.join(",")}`, ...[1, 2, 3].map((i) => `M${i},,${i},,2.5,0,x,7,8,${i}`)];
const ONE = ["Meter: M-7", "time,usage", ...hours.map((hour, i) => `${hour} to later,${i}.25`)];
const NUMBERED = [
  "meter,date,hour,usage",
  ...hours.map((hour, i) => `M1,${hour.slice(0, 10)},${i + 18},${i}`),
];

/** Profiles, each with a file of it, and the values that a row of it has; NaN where its header no longer tells. */
const CASES: readonly {
  profile: ProfileInput;
  file: readonly string[];
  values: (header: string) => number;
}[] = [
  {
    profile: {
      columns: { meter: "meter", time: "time", usage: "usage", register: "register", quality: "quality" },
    },
    file: LONG,
    values: () => 2,
  },
  {
    profile: {
      columns: { meter: "meter", time: "time", usage: "usage", unit: "unit" },
      time: { zone: "UTC", stamp: "end", snap: 120 },
      filters: [{ column: "quality", except: ["X"] }],
      quality: { noRead: ["N"] },
    },
    file: LONG,
    values: () => 1,
  },
  {
    profile: {
      layout: "wide",
      columns: { meter: "meter", time: "date", first: 3 },
      time: { format: "YYYY-MM-DD", zone: "UTC" },
    },
    file: WIDE,
    values: () => 24,
  },
  {
    profile: { layout: "matrix", columns: { time: "time", first: 2 }, time: { zone: "UTC" } },
    file: MATRIX,
    values: (header) =>
      header
        .split(",")
        .slice(1)
        .filter((name) => name.trim() !== "").length,
  },
  {
    profile: { layout: "pivot", columns: { meter: "meter" }, time: { zone: "UTC" } },
    file: PIVOT,
    values: (header) => (header === PIVOT[0] ? hours.length : NaN),
  },
  {
    profile: {
      skipRows: 1,
      meterFrom: { preamble: "Meter" },
      columns: { time: "time", usage: "usage" },
      time: { zone: "UTC", format: "YYYY-MM-DD HH:mm*" },
    },
    file: ONE,
    values: () => 1,
  },
  {
    profile: {
      columns: { meter: "meter", time: "date", clock: "hour", usage: "usage" },
      time: { format: "YYYY-MM-DD HH", hours: "elapsed", stamp: "end" },
    },
    file: NUMBERED,
    values: () => 1,
  },
];

it(`a profile never fails but for a file as a whole, and counts each row and value once (${FUZZ.runs} inputs of seed ${FUZZ.seed})`, () => {
  let taken = 0;
  const random = seeded(FUZZ.seed);
  const failures: string[] = [];
  for (let run = 0; run < FUZZ.runs; run++) {
    const { profile, file, values } = CASES[run % CASES.length]!;
    const bytes = mutated([file.join("\n") + "\n"], random);
    const tell = (why: unknown) => failures.push(`${run}: ${String(why)}: ${bytes.toString("base64")}`);
    try {
      const whole = readText(bytes, profile);
      const cut = readText(bytes, profile, { cuts: cutsOf(bytes, [random(), random(), random()]) });
      const { rows, rejected, reads, valuesRejected } = whole;
      taken += reads.length;
      if (JSON.stringify(cut) !== JSON.stringify(whole)) tell("another result where it is cut into chunks");
      const header =
        bytes
          .toString("utf8")
          .split(/[\r\n]+/)
          .find((line) => line !== "") ?? "";
      const each = header.includes('"') ? NaN : values(header);
      if (!Number.isNaN(each) && reads.length + valuesRejected !== each * (rows + rejected))
        tell(`${reads.length} + ${valuesRejected} values in ${rows} + ${rejected} rows`);
    } catch (error) {
      if (!(error instanceof FileRejected)) tell(error);
    }
  }
  expect(failures).toEqual([]);
  expect(taken).toBeGreaterThan(FUZZ.runs);
}, 600_000);

/** Portions of a text that comes in pieces. */
async function portions<Portion>(
  bytes: Buffer,
  cuts: readonly number[],
  read: (texts: AsyncIterable<AsyncIterable<Buffer>>) => AsyncIterable<Portion>,
): Promise<Portion[]> {
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((to, i) => Buffer.from(bytes.subarray(places[i], to)));
  const found: Portion[] = [];
  for await (const portion of read(Readable.from([Readable.from(pieces)]))) found.push(portion);
  return found;
}

const CROSSWALK = [
  "meter_id,account_id,location_id,name,address,move_in,class",
  ...Array.from(
    { length: 6 },
    (_, i) => `M${i},A${i},L${i},"J ""X"" D","1 Main St, Apt ${i}",2024-02-0${i + 1},`,
  ),
];
const TEMPERATURES = ["time,temperature", ...hours.map((hour, i) => `${hour},${i - 4}.5`)];

it(`crosswalks and temperatures never fail but for a file as a whole, and lose no row (${FUZZ.runs} inputs of seed ${FUZZ.seed})`, async () => {
  const random = seeded(FUZZ.seed);
  const failures: string[] = [];
  let taken = 0;
  for (let run = 0; run < FUZZ.runs; run++) {
    const file = run % 2 === 0 ? CROSSWALK : TEMPERATURES;
    const bytes = mutated([file.join("\n") + "\n"], random);
    const read = async (cuts: readonly number[]) => {
      if (file === CROSSWALK) {
        const found = await portions(bytes, cuts, (texts) =>
          readCrosswalk(texts, "America/Los_Angeles", csvProfile.parse({})),
        );
        return found.flatMap(({ rows, rejects }) => [...rows, ...rejects]);
      }
      const options = temperatureOptions.parse({ columns: { time: "time", temperature: "temperature" } });
      const found = await portions(bytes, cuts, (texts) => readTemperatures(texts, "UTC", options, NOW));
      return found.flatMap(({ temperatures, rejects }) => [...temperatures, ...rejects]);
    };
    try {
      const whole = await read([]);
      const cut = await read(cutsOf(bytes, [random(), random()]));
      taken += whole.length;
      const sorted = (list: readonly object[]) =>
        JSON.stringify(list.map((one) => JSON.stringify(one)).sort());
      if (sorted(whole) !== sorted(cut)) failures.push(`${run}: cut: ${bytes.toString("base64")}`);
    } catch (error) {
      if (!(error instanceof FileRejected))
        failures.push(`${run}: ${String(error)}: ${bytes.toString("base64")}`);
    }
  }
  expect(failures).toEqual([]);
  expect(taken).toBeGreaterThan(FUZZ.runs);
}, 600_000);
