import { ACLARA_STAR } from "../../../schemas/formats/aclara.js";
import { pageExample } from "../../harness/format-calls.js";
import { at, readText } from "../../harness/read-text.js";

const HEADER =
  "AccountNumber,MeterSN,MTUID,Port,AccountType,Address1,City,State,Zip,RawRead,ScaledRead,ReadingTime,LocalTime,Active,Scalar,MeterTypeID,Vendor,Model,Description,ReadInterval";
const line = (scaled: string, time: string, serial = "456789", kind = "Residential") =>
  `7,${serial},MTU001,1,${kind},"1 Main St, Apt 2",Oakvale,CA,90000,120500,${scaled},${time},2026-05-01 09:00:00.000,1,0.001,5,V,M,"5/8in 9D 0.001CuFt",15`;

describe("an Aclara STAR readings export", () => {
  it("gives registers in cubic feet at their time in UTC", () => {
    const { reads, rejects } = readText(
      [HEADER, line("000120.500", "2026-05-01 16:00:00.000"), line("1", "2026-05-01 16:15:00.250", "9")].join(
        "\r\n",
      ),
      ACLARA_STAR,
    );
    expect(rejects).toEqual([]);
    expect(reads).toMatchObject([
      {
        meter: "456789",
        channel: "",
        kind: "register",
        time: at("2026-05-01T16:00Z"),
        delivered: 120.5,
        unit: "ft3",
        flags: 0,
      },
      { meter: "9", time: at("2026-05-01T16:15Z"), ml: 28_317 },
    ]);
  });

  it("has no read where the register says ERROR", () => {
    const { reads } = readText(`${HEADER}\n${line("ERROR", "2026-05-01 16:00:00.000")}\n`, ACLARA_STAR);
    expect(reads).toMatchObject([{ ml: null, delivered: null }]);
  });

  it("leaves out the detector checks of fire lines, and counts them", () => {
    const time = "2026-05-01 16:00:00.000";
    const rows = [
      line("1", time, "1"),
      line("2", time, "2", "DETECTOR CHECK"),
      line("3", time, "3", " Detector Check "),
    ];
    const { reads, rejects, ...found } = readText([HEADER, ...rows].join("\n"), ACLARA_STAR);
    expect(reads.map(({ meter }) => meter)).toEqual(["1"]);
    expect(found).toMatchObject({ rows: 1, rejected: 0, valuesRejected: 0, leftOut: 2 });
    expect(rejects).toEqual([]);
  });

  it("is rejected where a column of it is missing", () => {
    expect(() => readText("MeterSN,ReadingTime\n", ACLARA_STAR)).toThrow(
      /no column for register "ScaledRead"/,
    );
  });

  it("reads the example of its page, whose profile is the preset", () => {
    const { file, source } = pageExample("aclara", "csv");
    expect(source["profile"]).toEqual(ACLARA_STAR);
    expect(readText(file, ACLARA_STAR).reads).toMatchObject([
      { meter: "456789", time: at("2026-05-01T16:00Z"), delivered: 120.5, unit: "ft3" },
      { time: at("2026-05-01T16:15Z"), ml: null },
    ]);
  });
});
