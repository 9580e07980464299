import { BillingReader } from "../../../ingest/formats/billing.js";
import { guess, isWhole } from "../../../ingest/try/guess.js";
import { Flag } from "../../../schemas/flags.js";
import { billingOptions } from "../../../schemas/formats/billing.js";
import { readFormat, NOW } from "../../harness/read-format.js";

const of = (text: string) => guess({ head: Buffer.from(text), whole: true });
const openOf = (text: string) => of(text).open.map(({ path, blocks }) => [path, blocks]);
const optionsOf = (text: string) => of(text).settings["billing"] as Record<string, unknown>;

/** What the reader takes by the guess alone, and by what is settled besides. */
function read(text: string, settled: Record<string, unknown> = {}) {
  const billing = billingOptions.parse({ ...optionsOf(text), ...settled });
  const reader = { billing, timeZone: "America/Los_Angeles", checks: {}, now: NOW };
  return readFormat((sink) => new BillingReader(reader, sink), text);
}

const AMERICAN = `Acct No,Meter No,Prev Read Date,Prev Read,Curr Read Date,Curr Read,Usage,Read Code,Days,Route
100-1,77001,10/01/2026,1520,11/01/2026,1531,11,A,31,12
100-2,77002,10/01/2026,220,11/13/2026,229,9,E,43,12
`;
const ORACLE = `ACCOUNT_NUM;METER_SERIAL;START_READ_DTTM;START_REG_READING;END_READ_DTTM;END_REG_READING;MSR_QTY;REGISTER_CONST;END_ESTIMATE_SW;UOM
1;A1;2026-10-01 08:00:00;100;2026-11-01 08:00:00;110;100;10;N;CF
2;A2;2026-10-01 08:00:00;100;2026-11-02 08:00:00;112;120;10;Y;CF
`;
const GERMAN = `Kunde;Zählernummer;Stand alt;Datum alt;Stand neu;Datum neu;Verbrauch;Einheit
1;A1;100,5;01.10.2026;110,5;31.10.2026;10,0;m³
2;A2;100,5;01.10.2026;112,5;31.10.2026;12,0;m³
`;

describe("a guess of a file of bills", () => {
  it.each([
    [
      "American",
      AMERICAN,
      {
        ...{ meter: "Meter No", current: "Curr Read", currentDate: "Curr Read Date", previous: "Prev Read" },
        ...{ previousDate: "Prev Read Date", usage: "Usage", days: "Days", code: "Read Code" },
      },
    ],
    [
      "Oracle's",
      ORACLE,
      {
        ...{ meter: "METER_SERIAL", current: "END_REG_READING", currentDate: "END_READ_DTTM" },
        ...{ previous: "START_REG_READING", previousDate: "START_READ_DTTM", usage: "MSR_QTY" },
        ...{ multiplier: "REGISTER_CONST", code: "END_ESTIMATE_SW", unit: "UOM" },
      },
    ],
    [
      "German",
      GERMAN,
      {
        ...{ meter: "Zählernummer", current: "Stand neu", currentDate: "Datum neu", previous: "Stand alt" },
        ...{ previousDate: "Datum alt", usage: "Verbrauch", unit: "Einheit" },
      },
    ],
  ])("knows the two sides of a row by their names, %s, and can be tried as it stands", (_, text, columns) => {
    expect(of(text).settings["format"]).toBe("billing");
    expect(optionsOf(text)["columns"]).toEqual(columns);
    expect(isWhole(of(text))).toBe(true);
    const { reads, rejects, rows } = read(text);
    expect(rejects).toEqual([]);
    expect(rows).toBe(2);
    expect(reads).toHaveLength(4);
  });

  it("asks where a register began again, and for another factor of the consumption", () => {
    const fell = AMERICAN + "100-3,77003,10/01/2026,9990,11/02/2026,12,22,A,32,12\n";
    expect(openOf(fell)).toContainEqual(["billing.digits", false]);
    expect(read(fell).rejects).not.toEqual([]);
    expect(read(fell, { digits: 4 }).rejects).toEqual([]);
    const { open } = of(AMERICAN.replace(",11,A", ",110,A").replace(",9,E", ",90,E"));
    expect(open).toContainEqual(
      expect.objectContaining({ path: "billing.multiplier", alternatives: ["10"], blocks: true }),
    );
  });

  it("asks which is the month, and takes no previous read without a date", () => {
    const text =
      "Account,Meter,Read Date,Previous Reading,Current Reading,Consumption\n1,A1,01/02/2026,100,110,10\n2,A2,01/02/2026,100,112,12\n";
    expect(openOf(text)).toEqual([
      ["billing.time.format", true],
      ["billing.unit", false],
    ]);
    expect(optionsOf(text)["columns"]).toEqual({
      meter: "Meter",
      current: "Current Reading",
      currentDate: "Read Date",
    });
  });

  it("is none where rows have no previous read", () => {
    const one = "Meter,Read Date,Reading\nA1,01/13/2026,100\nA2,01/13/2026,120\n";
    expect(of(one).settings["format"]).toBe("csv");
    // A day is no bill.
    const days = Array.from({ length: 12 }, (_, i) => `A1,01/${i + 13}/2026,01/${i + 14}/2026,${i % 5}`);
    expect(of(["Meter,From Date,To Date,Consumption", ...days].join("\n")).settings).toMatchObject({
      format: "csv",
      profile: { columns: { time: "From Date", usage: "Consumption" }, time: { interval: 86_400 } },
    });
  });

  it("asks which column is the meter's, among those that say nothing of the bill", () => {
    const rows = Array.from({ length: 5 }, (_, i) => `CUST${i},${100 + i},${150 + i},2026-09-30,${5 + i}.20`);
    const found = of(["CUST_KEY,PREVIOUS_READING,METER_READING,READING_DATE,COST", ...rows].join("\n"));
    expect(found.open.find(({ path }) => path === "billing.columns.meter")!.alternatives).toEqual([
      "CUST_KEY",
    ]);
  });

  describe("of consumption alone", () => {
    const bills = (header: string, ...rows: string[]) => [header, ...rows].join("\n") + "\n";
    const DATES = "Meter Number,Service Start Date,Service End Date,Consumption (HCF)";

    it("takes both dates, and tells by the next bill whether the last day is part of it", () => {
      const touching = bills(DATES, "A1,12/23/2012,01/24/2013,10", "A1,01/24/2013,02/24/2013,9");
      expect(of(touching).settings["format"]).toBe("billing");
      expect(optionsOf(touching)).toEqual({
        columns: {
          ...{ meter: "Meter Number", usage: "Consumption (HCF)" },
          ...{ previousDate: "Service Start Date", currentDate: "Service End Date" },
        },
        time: { format: "MM/DD/YYYY" },
        unit: "ccf",
      });
      expect(isWhole(of(touching))).toBe(true);
      const { reads, rejects } = read(touching);
      expect(rejects).toEqual([]);
      expect(reads.map(({ kind, ml }) => [kind, ml])).toEqual([
        ["bill", 28_316_847],
        ["bill", 25_485_162],
      ]);
      expect(reads[1]!.time).toBe(reads[0]!.time + reads[0]!.length);
      const apart = bills(DATES, "A1,12/23/2012,01/23/2013,10", "A1,01/24/2013,02/23/2013,9");
      expect(optionsOf(apart)).toMatchObject({ currentDateIncluded: true });
      expect(read(apart).reads[1]!.time).toBe(read(apart).reads[0]!.time + read(apart).reads[0]!.length);
    });

    it("tells it by the days, and asks where nothing tells", () => {
      const one = bills(DATES, "A1,12/23/2012,01/23/2013,10", "A2,12/24/2012,01/23/2013,9");
      expect(openOf(one)).toEqual([["billing.currentDateIncluded", false]]);
      const days = (more: number) =>
        bills(
          `${DATES},Billed Days`,
          `A1,12/23/2012,01/23/2013,10,${31 + more}`,
          `A2,12/24/2012,01/23/2013,9,${30 + more}`,
        );
      expect(optionsOf(days(0))).not.toHaveProperty("currentDateIncluded");
      expect(openOf(days(0))).toEqual([]);
      expect(optionsOf(days(1))).toMatchObject({
        currentDateIncluded: true,
        columns: { days: "Billed Days" },
      });
      expect(read(days(1)).rejects).toEqual([]);
    });

    it("takes one date and the days before it", () => {
      const text = bills(
        "Service Point,Read Date,Days,Usage gal,Rate",
        "S1,2026-10-13,30,4500,R1",
        "S2,2026-10-14,31,0,R1",
      );
      expect(optionsOf(text)).toMatchObject({
        columns: { meter: "Service Point", currentDate: "Read Date", days: "Days", usage: "Usage gal" },
      });
      expect(read(text).reads.map(({ length }) => length / 86_400)).toEqual([30, 31]);
    });

    it.each([
      ["YYYY-MM", "2026-09", "2026-10"],
      ["YYYYMM", "202609", "202610"],
      ["MMM YYYY", "Sep 2026", "Oct 2026"],
      ["MM/DD/YYYY", "09/30/2026", "10/31/2026"],
      ["YYYY-MM-DD", "2026-09-01", "2026-10-01"],
    ])("takes months of the calendar, %s", (format, ...months) => {
      const text = bills(
        "Meter ID,Billing Month,Consumption_kgal",
        ...months.flatMap((month) => ["A1", "A2"].map((meter) => `${meter},${month},4.5`)),
      );
      expect(optionsOf(text)).toMatchObject({
        columns: { meter: "Meter ID", currentDate: "Billing Month", usage: "Consumption_kgal" },
        period: "month",
        time: { format },
      });
      const { reads, rejects } = read(text);
      expect(rejects).toEqual([]);
      expect(reads.map(({ length }) => length / 86_400)).toEqual([30, 30, 31, 31]);
    });

    it("takes a month that is spread over two columns, for no meter", () => {
      const text = bills(
        "Account,Year,Month,Consumption (CCF)",
        ...["9", "10"].flatMap((month) => ["A1", "A2"].map((account) => `${account},2026,${month},5`)),
      );
      expect(optionsOf(text)).toMatchObject({
        columns: { currentDate: ["Year", "Month"], usage: "Consumption (CCF)" },
        ...{ period: "month", time: { format: "YYYY MM" }, unit: "ccf" },
      });
      expect(of(text).open).toMatchObject([{ path: "billing.columns.meter", alternatives: ["Account"] }]);
    });

    it("knows bills of a year, words for an estimate, and gallons beside two dates", () => {
      const german = bills(
        "Zählernummer;Einbau;Datum von;Datum bis;Verbrauch m³;Art",
        "A-11;03.04.2019;01.01.2025;31.12.2025;132,5;geschätzt",
        "A-12;07.08.2020;01.01.2025;31.12.2025;87,0;abgelesen",
      ).replace("Einbau", "Install Date");
      expect(optionsOf(german)).toMatchObject({
        columns: { meter: "Zählernummer", previousDate: "Datum von", currentDate: "Datum bis", code: "Art" },
        quality: { estimated: ["geschätzt"] },
        currentDateIncluded: true,
        time: { format: "DD.MM.YYYY" },
      });
      const { reads, rejects } = read(german);
      expect(rejects).toEqual([]);
      expect(reads.map(({ ml, flags }) => [ml, flags])).toEqual([
        [132_500_000, Flag.estimated],
        [87_000_000, 0],
      ]);
      const gallons = bills(
        "MeterID,BillingPeriodStart,BillingPeriodEnd,Gallons",
        "M1,2026-01-01,2026-02-28,12000",
        "M1,2026-03-01,2026-04-30,13000",
      );
      expect(optionsOf(gallons)).toMatchObject({
        columns: { meter: "MeterID", usage: "Gallons", previousDate: "BillingPeriodStart" },
        currentDateIncluded: true,
        unit: "gal",
      });
      expect(read(gallons).rejects).toEqual([]);
    });

    it("asks which date is which, and for the meter", () => {
      const text = bills(
        "Acct,From,To,Bill Date,Cons",
        "1,2026-08-30,2026-09-29,2026-10-02,5",
        "2,2026-08-30,2026-09-29,2026-10-02,6",
      );
      expect(optionsOf(text)["columns"]).toMatchObject({ previousDate: "From" });
      const meter = of(text).open.find(({ path }) => path === "billing.columns.meter");
      expect(meter).toMatchObject({ blocks: true, alternatives: ["Acct"] });
    });
  });

  it("knows BEACON's billing read export by its columns", () => {
    const header = "Account_ID,Meter_ID,Register_Number,Read,Read_Time,Read_Unit,Read_Method\n";
    expect(of(`${header}1,A1,1,100,2026-10-01 08:00,GAL,AMR\n`).settings).toEqual({
      format: "beacon-billing",
    });
  });
});

it("of the beginning and the end of an interval, side by side, the beginning is the stamp", () => {
  const rows = ["00:00,01:00", "01:00,02:00", "02:00,03:00", "03:00,04:00"];
  const clocks = of(
    `Meter,Date,Start Time,End Time,Usage\n${rows.map((row) => `A1,2026-01-13,${row},2`).join("\n")}\n`,
  );
  expect(clocks.settings["profile"]).toMatchObject({ columns: { time: "Date", clock: "Start Time" } });
  const stamps = rows.map((row) =>
    row
      .split(",")
      .map((one) => `2026-01-13 ${one}`)
      .join(","),
  );
  const both = of(
    `Meter,Interval Start,Interval End,Usage\n${stamps.map((row) => `A1,${row},2`).join("\n")}\n`,
  );
  expect(both.settings["profile"]).toMatchObject({
    columns: { time: "Interval Start" },
    time: { interval: 3600 },
  });
});
