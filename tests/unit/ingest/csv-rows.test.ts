import fc from "fast-check";
import { CsvRows, fieldText, MAX_ROW_BYTES } from "../../../ingest/formats/csv-rows.js";

interface Cut {
  readonly rows: string[][];
  readonly lines: number[];
  readonly faults: (readonly [string, number, number, number])[];
}

function cut(text: string | Buffer, cuts: readonly number[] = [], delimiter = ","): Cut {
  const found: Cut = { rows: [], lines: [], faults: [] };
  const bytes = Buffer.from(text as string);
  const scanner = new CsvRows(
    { delimiter, quote: '"' },
    {
      row: (row) => {
        found.rows.push(Array.from({ length: row.count }, (_, i) => fieldText(row, i)));
        found.lines.push(row.line);
        expect(bytes.subarray(row.offset, row.offset + row.length).includes(10)).toBe(false);
      },
      fault: (...fault) => found.faults.push(fault),
    },
  );
  let from = 0;
  for (const to of [...cuts].sort((a, b) => a - b)) {
    if (to <= from || to > bytes.length) continue;
    scanner.push(bytes.subarray(from, to), false);
    from = to;
  }
  scanner.push(bytes.subarray(from), false);
  scanner.push(Buffer.alloc(0), true);
  return found;
}

it("cuts rows at LF, CRLF and CR, passes blank rows over and takes a last row without an end", () => {
  expect(cut("a,b\n\nc,d\r\n\r\ne,f\rg,h")).toEqual({
    rows: [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
      ["g", "h"],
    ],
    lines: [1, 3, 5, 6],
    faults: [],
  });
});

it("takes quotes off whole fields, and leaves them within one", () => {
  expect(cut('"a,1","5/8""",""\n5/8",x"y,\n"q" ,"r"\t,s').rows).toEqual([
    ["a,1", '5/8"', ""],
    ['5/8"', 'x"y', ""],
    ["q", "r", "s"],
  ]);
});

it("keeps the fault of a stray quote to its line", () => {
  const { rows, faults } = cut('a,1\n"b,2\nc,3\n"d"x,4\n"e\r\nf,"6');
  expect(rows).toEqual([
    ["a", "1"],
    ["c", "3"],
  ]);
  expect(faults).toEqual([
    ["stray-quote", 2, 4, 4],
    ["stray-quote", 4, 13, 6],
    ["stray-quote", 5, 20, 2],
    ["stray-quote", 6, 24, 4],
  ]);
});

it.each(["\n", "\r", "\r\n"])("rejects a row that is too long by itself, whatever its end (%j)", (end) => {
  const long = "x".repeat(MAX_ROW_BYTES + 1);
  const whole = "y".repeat(MAX_ROW_BYTES);
  const text = ["a", long, "b", whole, "c"].join(end);
  for (const cuts of [[], [5, 1_000_000, MAX_ROW_BYTES + 2], [MAX_ROW_BYTES]]) {
    const { rows, lines, faults } = cut(text, cuts);
    expect(rows.map(([field]) => field!.length)).toEqual([1, 1, MAX_ROW_BYTES, 1]);
    expect(lines).toEqual([1, 3, 4, 5]);
    expect(faults).toEqual([["row-too-long", 2, 1 + end.length, MAX_ROW_BYTES + 1]]);
  }
});

it("rejects a file of one line of 40 MB and a row of a million columns in little memory", () => {
  const found: unknown[] = [];
  const scanner = new CsvRows(
    { delimiter: ",", quote: '"' },
    { row: (row) => found.push(row.count), fault: (...fault) => found.push(fault) },
  );
  const chunk = Buffer.alloc(1 << 20, "x");
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 40; i++) scanner.push(chunk, false);
  scanner.push(Buffer.from("\n" + ",".repeat(1_000_000) + "\na,b\n"), true);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  expect(found).toEqual([
    ["row-too-long", 1, 0, 40 << 20],
    ["row-too-long", 2, (40 << 20) + 1, 1_000_000],
    2,
  ]);
});

it("finds the same rows however the bytes are cut into chunks", () => {
  const piece = fc.constantFrom("a", "12", ",", '"', '""', "\n", "\r\n", "\r", " ", "é", ",,", '"x"', '"y",');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc.array(fc.nat(80)),
      (text, cuts) => {
        expect(cut(text, cuts)).toEqual(cut(text));
        expect(cut(text, [...Array(Buffer.byteLength(text)).keys()])).toEqual(cut(text));
      },
    ),
    { numRuns: 500 },
  );
});

it("counts every line that is not blank once, as a row or as a fault", () => {
  const line = fc
    .array(fc.constantFrom("a", ",", '"', '""', " "), { minLength: 1, maxLength: 12 })
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const { rows, faults } = cut(lines.join("\n"));
      expect(rows.length + faults.length).toBe(lines.length);
    }),
  );
});
