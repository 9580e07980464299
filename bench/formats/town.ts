import type { ConfigInput } from "../../schemas/config.js";

type SourceInput = ConfigInput["utilities"][number]["sources"][number];

/** UTC seconds of the first hour: a day without a change of clocks near it. */
export const START = Date.UTC(2026, 0, 5) / 1000;
const HOURS = 24;

export interface Town {
  /** Number of the first meter: the towns of two files may follow one another. */
  readonly from?: number;
  readonly meters: number;
  readonly days: number;
}

/** Files of one format: how a source reads them, and a town's reads as such a file says them. */
export interface FormatFile {
  readonly name: string;
  readonly source: Omit<SourceInput, "id" | "folder" | "complete">;
  /** The file's text, in pieces. */
  readonly text: (town: Town) => Iterable<string>;
  /** Reads in the file, for each meter and day. */
  readonly readsPerDay: number;
  /** Meters that a file may have at most. */
  readonly mostMeters?: number;
}

/** Litres that a meter used in an hour. The same numbers at every call, without a state. */
function used(meter: number, hour: number): number {
  const mixed = Math.imul(meter * 7919 + hour, 0x9e3779b1) >>> 0;
  return mixed % 3 === 0 ? 0 : mixed % 97;
}

/** Its register at the beginning of an hour, in litres. */
function register(meter: number, hour: number): number {
  return 10_000 + meter * 13 + hour * 12 + (used(meter, hour) % 10);
}

const meterId = (meter: number) => `W${String(1_000_000 + meter)}`;
const iso = (hour: number) => new Date((START + hour * 3600) * 1000).toISOString();
/** YYYY-MM-DD HH:mm, UTC. */
const minute = (hour: number) => iso(hour).slice(0, 16).replace("T", " ");
const compactDate = (hour: number) => iso(hour).slice(0, 10).replaceAll("-", "");
const compact = (hour: number) => `${compactDate(hour)}${iso(hour).slice(11, 13)}00`;

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A piece for each meter, or before and after them all. */
function* meterPieces(
  { from = 0, meters, days }: Town,
  piece: (meter: number, days: number) => string,
  head = "",
  foot = "",
): Iterable<string> {
  yield head;
  for (let meter = from; meter < from + meters; meter++) yield piece(meter, days);
  yield foot;
}

/** A row for each hour, with all meters in it. */
function* hourPieces({ from = 0, meters, days }: Town): Iterable<string> {
  const all = range(meters).map((i) => from + i);
  yield `time,${all.map(meterId).join(",")}\n`;
  for (let hour = 0; hour < days * HOURS; hour++)
    yield `${minute(hour)},${all.map((meter) => `${used(meter, hour)}.5`).join(",")}\n`;
}

/** Text for each hour of a meter. */
const hourly = (row: (meter: number, hour: number) => string) => (meter: number, days: number) =>
  range(days * HOURS)
    .map((hour) => row(meter, hour))
    .join("");

/** Text for each day of a meter; the hour is its first. */
const daily = (row: (meter: number, hour: number) => string) => (meter: number, days: number) =>
  range(days)
    .map((day) => row(meter, day * HOURS))
    .join("");

const hoursOf = (hour: number, text: (hour: number) => string) =>
  range(HOURS)
    .map((i) => text(hour + i))
    .join(",");

const columnsOf = (pieces: readonly (readonly [at: number, text: string])[]) => {
  let line = "";
  for (const [at, text] of pieces) line = line.padEnd(at - 1) + text;
  return line + "\r\n";
};

const ESPI = 'xmlns="http://naesb.org/espi"';
const espiEntry = (links: readonly (readonly [rel: string, href: string])[], content: string) =>
  `<entry>${links.map(([rel, href]) => `<link rel="${rel}" href="${href}"/>`).join("")}<content>${content}</content></entry>\n`;

function espiMeter(meter: number, days: number): string {
  const point = `User/1/UsagePoint/${meterId(meter)}`;
  const reading = `${point}/MeterReading/1`;
  const block = (day: number) =>
    espiEntry(
      [["up", `${reading}/IntervalBlock`]],
      `<IntervalBlock ${ESPI}>${range(HOURS)
        .map((i) => day * HOURS + i)
        .map(
          (hour) =>
            `<IntervalReading><timePeriod><duration>3600</duration><start>${START + hour * 3600}</start></timePeriod><value>${used(meter, hour)}</value></IntervalReading>`,
        )
        .join("\n")}</IntervalBlock>`,
    );
  return (
    espiEntry(
      [
        ["self", point],
        ["related", `${point}/MeterReading`],
      ],
      `<UsagePoint ${ESPI}><ServiceCategory><kind>2</kind></ServiceCategory></UsagePoint>`,
    ) +
    espiEntry(
      [
        ["self", reading],
        ["up", `${point}/MeterReading`],
        ["related", `${reading}/IntervalBlock`],
        ["related", "ReadingType/1"],
      ],
      `<MeterReading ${ESPI}/>`,
    ) +
    range(days).map(block).join("")
  );
}

/** A town's hours in every format that reads are taken in; the layouts are those of `docs/formats`. */
export const FORMAT_FILES: readonly FormatFile[] = [
  {
    name: "csv, long, usage",
    source: {
      format: "csv",
      profile: {
        columns: { meter: "meter", time: "time", usage: "litres", quality: "flag" },
        time: { zone: "UTC" },
      },
    },
    text: (town) =>
      meterPieces(
        town,
        hourly((meter, hour) => `${meterId(meter)},${minute(hour)},${used(meter, hour)}.5,\n`),
        "meter,time,litres,flag\n",
      ),
    readsPerDay: HOURS,
  },
  {
    name: "csv, long, usage and register",
    source: {
      format: "csv",
      profile: {
        columns: { meter: "meter", time: "time", usage: "litres", register: "register" },
        time: { zone: "UTC" },
      },
    },
    text: (town) =>
      meterPieces(
        town,
        hourly(
          (meter, hour) =>
            `${meterId(meter)},${minute(hour)},${used(meter, hour)},${register(meter, hour)}\n`,
        ),
        "meter,time,litres,register\n",
      ),
    readsPerDay: 2 * HOURS,
  },
  {
    name: "csv, wide, 24 columns",
    source: {
      format: "csv",
      profile: {
        layout: "wide",
        columns: { meter: "meter", time: "date", first: "h1" },
        time: { format: "YYYY-MM-DD", zone: "UTC" },
      },
    },
    text: (town) =>
      meterPieces(
        town,
        daily(
          (meter, hour) =>
            `${meterId(meter)},${iso(hour).slice(0, 10)},${hoursOf(hour, (h) => `${used(meter, h)}.5`)}\n`,
        ),
        `meter,date,${range(HOURS)
          .map((i) => `h${i + 1}`)
          .join(",")}\n`,
      ),
    readsPerDay: HOURS,
  },
  {
    name: "csv, a column a meter",
    source: {
      format: "csv",
      profile: { layout: "matrix", columns: { time: "time", first: 2 }, time: { zone: "UTC" } },
    },
    text: hourPieces,
    readsPerDay: HOURS,
    mostMeters: 4_000,
  },
  {
    name: "csv, a column a time",
    source: {
      format: "csv",
      profile: { layout: "pivot", columns: { meter: "meter" }, time: { zone: "UTC" } },
    },
    text: (town) =>
      meterPieces(
        town,
        (meter, days) =>
          `${[meterId(meter), ...range(days * HOURS).map((hour) => `${used(meter, hour)}.5`)].join(",")}\n`,
        `${["meter", ...range(town.days * HOURS).map(minute)].join(",")}\n`,
      ),
    readsPerDay: HOURS,
  },
  {
    name: "beacon-range",
    source: { format: "beacon-range", profile: { time: { zone: "UTC" } } },
    text: (town) =>
      meterPieces(
        town,
        hourly((meter, hour) => {
          const end = `${minute(hour).slice(0, 13)}:59`;
          return `"A-${meter}","12${meter}","0","${used(meter, hour)}.0","${end}","Gallons","L-${meter}","${meterId(meter)}","${register(meter, hour)}.0","${end}","Gallons","","-71"\n`;
        }),
        `"Account_ID","Endpoint_SN","Estimated_Flag","Flow","Flow_Time","Flow_Unit","Location_ID","Meter_ID","Read","Read_Time","Read_Unit","Register_Number","Signal_Strength"\n`,
      ),
    readsPerDay: 2 * HOURS,
  },
  {
    name: "aclara-star",
    source: { format: "aclara-star" },
    text: (town) =>
      meterPieces(
        town,
        hourly((meter, hour) => {
          const scaled = (register(meter, hour) / 10).toFixed(3).padStart(10, "0");
          const stamp = `${minute(hour)}:00.000`;
          return `A${meter},${meterId(meter)},MTU${meter},1,Residential,1 Main St,Oakvale,CA,90000,${register(meter, hour)},${scaled},${stamp},${stamp},1,0.1,5,V,M,9D 0.001CuFt,60\n`;
        }),
        "AccountNumber,MeterSN,MTUID,Port,AccountType,Address1,City,State,Zip,RawRead,ScaledRead,ReadingTime,LocalTime,Active,Scalar,MeterTypeID,Vendor,Model,Description,ReadInterval\n",
      ),
    readsPerDay: HOURS,
  },
  {
    name: "cmep",
    source: { format: "cmep", cmep: { meter: "receiver-customer-id" } },
    text: (town) =>
      meterPieces(
        town,
        daily((meter, hour) => {
          const head = (units: string) =>
            `MEPMD01,20080501,SENSUS,SPS:130000,4${meter},${meterId(meter)},${compact(hour)},,OK,W,${units},1.0,00000100,${HOURS},`;
          return (
            head("GALREG") +
            hoursOf(hour, (h) => `${compact(h + 1)},R0,${register(meter, h + 1)}`) +
            "\r\n" +
            head("GAL") +
            hoursOf(hour, (h) => `${compact(h + 1)},R0,${used(meter, h)}`) +
            "\r\n"
          );
        }),
      ),
    readsPerDay: 2 * HOURS,
  },
  {
    name: "nem12",
    source: { format: "nem", nem: { utcOffset: "+00:00" } },
    text: (town) =>
      meterPieces(
        town,
        (meter, days) =>
          `200,${meterId(meter)},W1,1,W1,N1,S${meter},kL,30,\r\n` +
          daily(
            (_, hour) =>
              `300,${compactDate(hour)},${range(48)
                .map((i) => (used(meter, 2 * hour + i) / 1000).toFixed(3))
                .join(",")},A,,,${compact(hour + HOURS)}00,\r\n`,
          )(meter, days),
        "100,NEM12,202601010000,MDP1,RETAILER\r\n",
        "900\r\n",
      ),
    readsPerDay: 48,
  },
  {
    name: "nem13",
    source: { format: "nem", nem: { utcOffset: "+00:00" } },
    text: (town) =>
      meterPieces(
        town,
        daily((meter, hour) => {
          const [previous, current] = [register(meter, hour), register(meter, hour + HOURS)];
          return `250,${meterId(meter)},W1,1,W1,W1,S${meter},E,${previous},${compact(hour)}00,A,,,${current},${compact(hour + HOURS)}00,A,,,${current - previous},kL,,${compact(hour + HOURS)}00,\r\n`;
        }),
        "100,NEM13,202601010000,MDP1,RETAILER\r\n",
        "900\r\n",
      ),
    readsPerDay: 2,
  },
  {
    name: "espi",
    source: { format: "espi" },
    text: (town) =>
      meterPieces(
        town,
        espiMeter,
        '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n' +
          espiEntry(
            [["self", "ReadingType/1"]],
            `<ReadingType ${ESPI}><accumulationBehaviour>4</accumulationBehaviour><commodity>9</commodity><intervalLength>3600</intervalLength><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>134</uom></ReadingType>`,
          ),
        "</feed>\n",
      ),
    readsPerDay: HOURS,
  },
  {
    name: "json-lines, wmbusmeters",
    source: { format: "json-lines" },
    text: (town) =>
      meterPieces(
        town,
        hourly(
          (meter, hour) =>
            `{"_":"telegram","media":"water","meter":"iperl","name":"home","id":"${10_000_000 + meter}","total_m3":${register(meter, hour) / 1000},"max_flow_m3h":0,"timestamp":"${iso(hour).slice(0, 19)}Z"}\n`,
        ),
      ),
    readsPerDay: HOURS,
  },
  {
    name: "json-lines, rtlamr",
    source: { format: "json-lines", jsonLines: { rtlamr: { R900: { unit: "gal", multiplier: 0.1 } } } },
    text: (town) =>
      meterPieces(
        town,
        hourly(
          (meter, hour) =>
            `{"Time":"${iso(hour).slice(0, 19)}.123456Z","Offset":0,"Length":0,"Type":"R900","Message":{"ID":${1_541_000_000 + meter},"NoUse":0,"BackFlow":0,"Consumption":${register(meter, hour)},"Leak":0,"LeakNow":0}}\n`,
        ),
      ),
    readsPerDay: HOURS,
  },
  {
    name: "fixed-width, neptune-equinox",
    source: { format: "fixed-width", fixedWidth: { preset: "neptune-equinox", unit: "gal", zone: "UTC" } },
    text: (town) =>
      meterPieces(
        town,
        daily(
          (meter, hour) =>
            columnsOf([
              [1, "RTEHD"],
              [24, compactDate(hour)],
            ]) +
            columnsOf([
              [1, "MTRDT"],
              [38, meterId(meter)],
            ]) +
            columnsOf([
              [1, "RDGDT"],
              [89, String(register(meter, hour)).padStart(10, "0")],
            ]),
        ),
        "COMHD\r\n",
      ),
    readsPerDay: 1,
  },
  {
    name: "fixed-width, itron-mvrs",
    source: {
      format: "fixed-width",
      fixedWidth: {
        preset: "itron-mvrs",
        records: [{ prefix: "MTR", columns: { meter: { from: 4, to: 15 } } }],
        unit: "gal",
        zone: "UTC",
      },
    },
    text: (town) =>
      meterPieces(
        town,
        daily((meter, hour) => {
          const day = iso(hour);
          return (
            `MTR${meterId(meter)}`.padEnd(126) +
            "\r\n" +
            columnsOf([
              [1, "RDG"],
              [34, String(register(meter, hour)).padStart(10, "0")],
              [44, `0000${day.slice(5, 7)}${day.slice(8, 10)}${day.slice(0, 4)}070000`],
            ])
          );
        }),
        "FHD\r\n",
        "FTR\r\n",
      ),
    readsPerDay: 1,
  },
  {
    name: "billing",
    source: {
      format: "billing",
      billing: {
        columns: {
          meter: "Meter",
          current: "Read",
          currentDate: "Read Date",
          previous: "Prev Read",
          previousDate: "Prev Date",
          usage: "Usage",
          unit: "Unit",
          code: "Code",
        },
        time: { zone: "UTC" },
      },
    },
    text: (town) =>
      meterPieces(
        town,
        daily((meter, hour) => {
          const [previous, current] = [register(meter, hour), register(meter, hour + HOURS)];
          return `A-${meter},${meterId(meter)},${iso(hour).slice(0, 10)},${previous},${iso(hour + HOURS).slice(0, 10)},${current},${current - previous},CCF,A\n`;
        }),
        "Account,Meter,Prev Date,Prev Read,Read Date,Read,Usage,Unit,Code\n",
      ),
    readsPerDay: 2,
  },
  {
    name: "beacon-billing",
    source: { format: "beacon-billing" },
    text: (town) =>
      meterPieces(
        town,
        daily(
          (meter, hour) =>
            `"A-${meter}","${meterId(meter)}","","Network","${register(meter, hour)}","GAL","${minute(hour)}"\n`,
        ),
        `"Account_ID","Meter_ID","Register_Number","Read_Method","Read","Read_Unit","Read_Time"\n`,
      ),
    readsPerDay: 1,
  },
];
