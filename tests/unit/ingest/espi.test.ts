import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { EspiReader } from "../../../ingest/formats/espi.js";
import type { ReadSink } from "../../../ingest/formats/format.js";
import { Flag } from "../../../schemas/flags.js";
import { espiOptions } from "../../../schemas/formats/espi.js";
import { LONGEST_USAGE } from "../../../schemas/reads.js";
import { formatCalls, fuzzFormat, pageExample } from "../../harness/format-calls.js";
import { at } from "../../harness/read-text.js";
import type { z } from "zod";

type Options = z.input<typeof espiOptions>;

const NOW = at("2026-12-01T00:00Z");
const make =
  (options: Options = {}) =>
  (sink: ReadSink) =>
    new EspiReader({ espi: espiOptions.parse(options), now: NOW }, sink);
const read = (text: string | Buffer, options: Options = {}, cuts: readonly number[] = []) =>
  formatCalls(make(options), text, cuts);

const feed = (...entries: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n${entries.join("\n")}\n</feed>`;
const link = (rel: string, href: string) => `<link rel="${rel}" href="${href}"/>`;
const entry = (links: string, content: string, title = "") =>
  `<entry>${links}<title>${title}</title><content>${content}</content></entry>`;

const point = (id = "7", kind = 2, title = "Garden") =>
  entry(
    link("self", `User/5/UsagePoint/${id}`) +
      link("up", "User/5/UsagePoint") +
      link("related", `User/5/UsagePoint/${id}/MeterReading`),
    `<UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>${kind}</kind></ServiceCategory></UsagePoint>`,
    title,
  );
const meterReading = (id = "7", type = "1") =>
  entry(
    link("self", `User/5/UsagePoint/${id}/MeterReading/1`) +
      link("up", `User/5/UsagePoint/${id}/MeterReading`) +
      link("related", `User/5/UsagePoint/${id}/MeterReading/1/IntervalBlock`) +
      link("related", `ReadingType/${type}`),
    `<MeterReading xmlns="http://naesb.org/espi"/>`,
  );
const WATER = {
  accumulationBehaviour: 4,
  commodity: 9,
  flowDirection: 1,
  intervalLength: 3600,
  powerOfTenMultiplier: -3,
  uom: 128,
};
const readingType = (fields: Record<string, number | string> = WATER, id = "1") =>
  entry(
    link("self", `ReadingType/${id}`),
    `<ReadingType xmlns="http://naesb.org/espi">${Object.entries(fields)
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join("")}</ReadingType>`,
  );
const interval = (
  start: number | string,
  value: number | string,
  more = "",
  duration: number | string = 3600,
) =>
  `<IntervalReading><timePeriod><duration>${duration}</duration><start>${start}</start></timePeriod><value>${value}</value>${more}</IntervalReading>`;
const block = (readings: string, id = "7", number = "1") =>
  entry(
    link("self", `User/5/UsagePoint/${id}/MeterReading/1/IntervalBlock/${number}`) +
      link("up", `User/5/UsagePoint/${id}/MeterReading/1/IntervalBlock`),
    `<IntervalBlock xmlns="http://naesb.org/espi"><interval><duration>86400</duration><start>0</start></interval>\n${readings}</IntervalBlock>`,
  );
const quality = (code: number) => `<ReadingQuality><quality>${code}</quality></ReadingQuality>`;

const HOUR = at("2026-05-01T07:00Z");

describe("an ESPI feed", () => {
  it("gives the usage of each interval with its unit, power of ten, beginning, length and line", () => {
    const found = read(feed(point(), meterReading(), readingType(), block(interval(HOUR, 1500))));
    expect(found.reads).toEqual([
      {
        meter: "7",
        channel: "",
        serial: "",
        kind: "usage",
        time: HOUR,
        length: 3600,
        ml: 5678,
        delivered: 1500,
        unit: "gal",
        mlPerUnit: 3785.411784 * 10 ** -3,
        decimals: 0,
        flags: 0,
        line: 7,
      },
    ]);
    expect([found.rows, found.rejected, found.valuesRejected]).toEqual([1, 0, 0]);
  });

  it("takes registers at the end of their period, for each kind of dial", () => {
    for (const accumulationBehaviour of [1, 3, 9]) {
      const type = { ...WATER, accumulationBehaviour, powerOfTenMultiplier: 0, uom: 42 };
      const { reads } = read(
        feed(
          point(),
          meterReading(),
          readingType(type),
          block(interval(HOUR, 12.5) + interval(HOUR, -1, "", 0)),
        ),
      );
      expect(reads).toMatchObject([
        { kind: "register", time: HOUR + 3600, length: 0, ml: 12_500_000, decimals: 1 },
        { kind: "register", time: HOUR, ml: -1_000_000 },
      ]);
    }
  });

  it("knows each unit of volume, and those that the options add", () => {
    const unit = (uom: number | string, options: Options = {}) => {
      const type = { ...WATER, uom, powerOfTenMultiplier: 1 };
      const { reads, rejects } = read(
        feed(point(), meterReading(), readingType(type), block(interval(HOUR, 2))),
        options,
      );
      return reads[0]?.ml ?? rejects.map(({ code, field, value }) => [code, field, value]);
    };
    expect([42, 119, 128, 130, 134].map((uom) => unit(uom))).toEqual([
      20_000_000, 566_337, 75_708, 90_922, 20_000,
    ]);
    expect(unit(72)).toEqual([["unknown-unit", "uom", "72"]]);
    expect(unit("")).toEqual([["unknown-unit", "uom", ""]]);
    expect(unit(72, { treatAs: { 72: "L" } })).toBe(20_000);
  });

  it("floors fractions of a second, takes the length of the reading type where there is no duration", () => {
    const bare = `<IntervalReading><timePeriod><start>${HOUR}.66136</start></timePeriod><value>1</value></IntervalReading>`;
    const { reads } = read(
      feed(
        point(),
        meterReading(),
        readingType({ ...WATER, intervalLength: 900 }),
        block(bare + interval(HOUR, 1, "", 0)),
      ),
    );
    expect(reads.map(({ time, length }) => [time, length])).toEqual([
      [HOUR, 900],
      [HOUR, 900],
    ]);
  });

  it("takes a stretch longer than a local day for a bill", () => {
    const day = 86_400;
    const readings = [day, 25 * 3600, 25 * 3600 + 1, 30 * day].map((length) =>
      interval(HOUR, 1000, "", length),
    );
    const { reads } = read(feed(point(), meterReading(), readingType(), block(readings.join(""))));
    expect(reads.map(({ kind, length }) => [kind, length])).toEqual([
      ["usage", day],
      ["usage", 25 * 3600],
      ["bill", 25 * 3600 + 1],
      ["bill", 30 * day],
    ]);
  });

  it("turns codes of quality into flags; the reading type's holds where a reading has none", () => {
    const flags = (more: string, fields = {}) =>
      read(
        feed(point(), meterReading(), readingType({ ...WATER, ...fields }), block(interval(HOUR, 1, more))),
      ).reads[0]!.flags;
    expect([0, 14, 19].map((code) => flags(quality(code)))).toEqual([0, 0, 0]);
    expect([8, 9, 11, 12].map((code) => flags(quality(code)))).toEqual(Array(4).fill(Flag.estimated));
    expect([7, 15, 17].map((code) => flags(quality(code)))).toEqual(Array(3).fill(Flag.adjusted));
    expect([10, 13, 18].map((code) => flags(quality(code)))).toEqual(Array(3).fill(Flag.suspect));
    expect(flags(quality(8) + quality(17))).toBe(Flag.estimated | Flag.adjusted);
    expect(flags("", { defaultQuality: 8 })).toBe(Flag.estimated);
    expect(flags(quality(0), { defaultQuality: 8 })).toBe(0);
  });

  it("reads any prefix, and passes over elements of other namespaces", () => {
    const text = feed(point(), meterReading(), readingType(), block(interval(HOUR, 1500)))
      .replace(
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        '<atom:feed xmlns:atom="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi" xmlns:x="urn:x"><x:cost>9</x:cost>',
      )
      .replaceAll(' xmlns="http://naesb.org/espi"', "")
      .replaceAll(
        /(<\/?)(UsagePoint|ServiceCategory|kind|MeterReading|ReadingType|IntervalBlock|IntervalReading|timePeriod|duration|start|value|interval|accumulationBehaviour|commodity|flowDirection|intervalLength|powerOfTenMultiplier|uom)\b/g,
        "$1e:$2",
      )
      .replaceAll(/(<\/?)(feed|entry|link|title|content)\b/g, "$1atom:$2");
    expect(read(text).reads).toMatchObject([{ meter: "7", time: HOUR, ml: 5678 }]);
  });

  it("takes the five entities of XML, character references and CDATA", () => {
    const text = feed(
      point("7", 2, "A&amp;B &#x43;<![CDATA[ <D>]]>"),
      meterReading(),
      readingType(),
      block(interval(HOUR, 1)),
    );
    expect(read(text, { meter: "title" }).reads).toMatchObject([{ meter: "A&B C <D>" }]);
  });

  it("names the meter by the last part of its link, the whole link, or its title, in the canonical form", () => {
    const meter = (options: Options) =>
      read(feed(point("0a7"), meterReading("0a7"), readingType(), block(interval(HOUR, 1), "0a7")), options)
        .reads[0]!.meter;
    expect(meter({})).toBe("0a7");
    expect(meter({ meterId: { leadingZeros: "strip", upperCase: true } })).toBe("A7");
    expect(meter({ meter: "path" })).toBe("User/5/UsagePoint/0a7");
    expect(meter({ meter: "title" })).toBe("Garden");
  });

  it("holds readings until what they belong to has come, in whatever order the entries stand", () => {
    const entries = [point(), meterReading(), readingType(), block(interval(HOUR, 1500))];
    const permutations = fc.shuffledSubarray(entries, { minLength: 4 });
    fc.assert(
      fc.property(permutations, (order) => {
        expect(read(feed(...order)).reads).toMatchObject([{ meter: "7", time: HOUR, ml: 5678 }]);
      }),
    );
  });

  it("joins by links of whatever form: whole and relative ones, to the block or to the collection", () => {
    const whole = feed(point(), meterReading(), readingType(), block(interval(HOUR, 1500)));
    const variants = [
      whole.replace('related" href="ReadingType/1"', 'related" href="https://x.example/ReadingType/1?a=b"'),
      whole.replace(
        'up" href="User/5/UsagePoint/7/MeterReading/1/IntervalBlock"',
        'up" href="/User/5/UsagePoint/7/MeterReading/1/IntervalBlock/"',
      ),
      whole.replace(link("up", "User/5/UsagePoint/7/MeterReading/1/IntervalBlock"), ""),
      whole.replace(link("related", "User/5/UsagePoint/7/MeterReading"), ""),
      whole
        .replaceAll(
          /User\/5\/UsagePoint\/7\/MeterReading\/1\/IntervalBlock(\/1)?"/g,
          'blocks/IntervalBlock/9"',
        )
        .replaceAll("User/5/UsagePoint/7/MeterReading/1", "mr/MeterReading/4")
        .replaceAll('User/5/UsagePoint/7/MeterReading"', 'mr/MeterReading"'),
    ];
    for (const text of variants) expect(read(text).reads).toMatchObject([{ meter: "7", ml: 5678 }]);
  });

  it("keeps the meters of a feed apart, and their reading types", () => {
    const type = { ...WATER, uom: 42, powerOfTenMultiplier: 0 };
    const { reads } = read(
      feed(
        point("7"),
        meterReading("7"),
        block(interval(HOUR, 1000), "7"),
        readingType(),
        point("8"),
        meterReading("8", "2"),
        block(interval(HOUR, 1), "8"),
        readingType(type, "2"),
      ),
    );
    expect(reads.map(({ meter, ml }) => [meter, ml])).toEqual([
      ["7", 3785],
      ["8", 1_000_000],
    ]);
  });

  it("takes an empty value as no read", () => {
    const { reads, rows } = read(feed(point(), meterReading(), readingType(), block(interval(HOUR, ""))));
    expect([reads[0]!.ml, reads[0]!.delivered, rows]).toEqual([null, null, 1]);
  });
});

describe("readings of an ESPI feed are rejected", () => {
  const one = (readings: string, type: Record<string, number | string> = WATER, options: Options = {}) =>
    read(feed(point(), meterReading(), readingType(type), block(readings)), options).rejects.map(
      ({ code, field, value }) => [code, field, value],
    );
  const without = (name: string) => Object.fromEntries(Object.entries(WATER).filter(([key]) => key !== name));

  it("where a time, a length or a value is wrong", () => {
    expect(one(interval("", 1))).toEqual([["bad-time", "start", ""]]);
    expect(one(interval("2026-05-01", 1))).toEqual([["bad-time", "start", "2026-05-01"]]);
    expect(one("<IntervalReading><value>1</value></IntervalReading>")).toEqual([["bad-time", "start", null]]);
    expect(one(interval(600_000_000, 1))).toEqual([["time-too-early", "start", "600000000"]]);
    expect(one(interval(NOW + 86_401, 1))).toEqual([["time-in-future", "start", String(NOW + 86_401)]]);
    expect(one(interval(HOUR, 1, "", "x"))).toEqual([["bad-length", "duration", "x"]]);
    expect(one(interval(HOUR, 1, "", ""), without("intervalLength"))).toEqual([
      ["bad-length", "duration", null],
    ]);
    expect(one(interval(HOUR, 1, "", 900), WATER, { intervalLength: 3600 })).toEqual([
      ["bad-length", "duration", "900"],
    ]);
    expect(one(interval(HOUR, "1,5"))).toEqual([["bad-number", "value", "1,5"]]);
    expect(one(interval(HOUR, "1e3"))).toEqual([["bad-number", "value", "1e3"]]);
    expect(one(interval(HOUR, -1000))).toEqual([["negative-usage", "value", "-1000"]]);
    expect(one(interval(HOUR, "9".repeat(30)))).toEqual([["out-of-range", "value", "1e+30"]]);
  });

  it("where they are not water, by the reading type or, where that is silent, the service category", () => {
    expect(one(interval(HOUR, 1), { ...WATER, commodity: 1 })).toEqual([["not-water", "commodity", "1"]]);
    const kind = (service: number) =>
      read(
        feed(
          point("7", service),
          meterReading(),
          readingType(without("commodity")),
          block(interval(HOUR, 1)),
        ),
      );
    expect(kind(2).reads).toHaveLength(1);
    expect([0, 1, 6].map((service) => kind(service).rejects[0]!.value)).toEqual(["1", "7", "0"]);
    expect(one(interval(HOUR, 1), { ...WATER, commodity: 7 }, { commodities: [7] })).toEqual([]);
  });

  it("where the reading type does not say how they add up", () => {
    expect(one(interval(HOUR, 1), without("accumulationBehaviour"))).toEqual([
      ["bad-reading-type", "accumulationBehaviour", null],
    ]);
    expect(one(interval(HOUR, 1), { ...WATER, accumulationBehaviour: 12 })).toEqual([
      ["bad-reading-type", "accumulationBehaviour", "12"],
    ]);
    expect(one(interval(HOUR, 1), without("accumulationBehaviour"), { accumulation: "usage" })).toEqual([]);
    expect(one(interval(HOUR, 1), { ...WATER, flowDirection: 19 })).toEqual([
      ["bad-reading-type", "flowDirection", "19"],
    ]);
    expect(one(interval(HOUR, 1), { ...WATER, powerOfTenMultiplier: 13 })).toEqual([
      ["bad-reading-type", "powerOfTenMultiplier", "13"],
    ]);
  });

  it("where links lead nowhere", () => {
    const rejects = (...entries: string[]) => read(feed(...entries)).rejects.map(({ code }) => code);
    const readings = interval(HOUR, 1) + interval(HOUR + 3600, 1);
    expect(rejects(block(readings))).toEqual(["unlinked-reading", "unlinked-reading"]);
    expect(rejects(point(), meterReading(), block(readings))).toEqual([
      "unlinked-reading",
      "unlinked-reading",
    ]);
    expect(rejects(meterReading(), readingType(), block(readings))).toEqual([
      "unlinked-reading",
      "unlinked-reading",
    ]);
    expect(
      rejects(
        interval(HOUR, 1).replace("<IntervalReading", '<IntervalReading xmlns="http://naesb.org/espi"'),
      ),
    ).toEqual(["unlinked-reading"]);
  });

  it("where the meter has no name, and never tells one", () => {
    const text = feed(point("7", 2, " "), meterReading(), readingType(), block(interval(HOUR, 1)));
    expect(read(text, { meter: "title" }).rejects).toMatchObject([{ code: "missing-meter", value: null }]);
    const long = "M".repeat(201);
    expect(read(text.replace("<title> ", `<title>${long}`), { meter: "title" }).rejects).toMatchObject([
      { code: "bad-id", field: "meter", value: null },
    ]);
  });

  it("and each says where it stands in the file", () => {
    const readings = [interval(HOUR, 1), interval(HOUR + 3600, "x"), interval("y", 1)];
    const text = feed(point("7", 2, "Gärten €"), meterReading(), readingType(), block(readings.join("\r\n")));
    const bytes = Buffer.from(text);
    const { rejects } = read(text);
    expect(rejects.map(({ line }) => line)).toEqual([8, 9]);
    for (const [i, { offset, length }] of rejects.entries())
      expect(bytes.subarray(offset, offset + length).toString()).toBe(readings[i + 1]);
  });
});

describe("an ESPI file is rejected whole", () => {
  const refused = (text: string | Buffer, options: Options = {}) => read(text, options).refused;
  const whole = feed(point(), meterReading(), readingType(), block(interval(HOUR, 1)));

  it("where it is cut off or no XML, with the line", () => {
    expect(refused(whole.slice(0, -3))).toMatch(/not well-formed XML, at line 8/);
    expect(refused(whole.slice(0, whole.indexOf("<value>")))).toMatch(/at line 7/);
    expect(refused("")).toMatch(/at line 1/);
    expect(refused("meter,time,usage\n")).toMatch(/not well-formed XML, at line 2/);
    expect(refused(whole + "<x/>")).toMatch(/at line 8/);
  });

  it("where it has a DOCTYPE or entities of its own: none are expanded", () => {
    const bomb = '<!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>';
    expect(refused(whole.replace("<feed", `${bomb}<feed`))).toMatch(/DOCTYPE/);
    expect(refused(whole.replace("Garden", "&b;"))).toMatch(/not well-formed/);
    expect(refused(whole.replace("Garden", "&constructor;"))).toMatch(/not well-formed/);
  });

  it("where it is no Atom feed, or of another namespace", () => {
    expect(refused("<html/>")).toMatch(/is no Atom feed/);
    expect(refused(whole.replaceAll("http://naesb.org/espi", "http://naesb.org/other"))).toMatch(
      /another namespace/,
    );
  });

  it("where a tag, text or comment has no end in sight, or elements are nested without one", () => {
    const long = "x".repeat(1_200_000);
    for (const markup of [`<!--${long}-->`, `<title>${long}</title>`, `<a b="${long}"/>`, `<?p ${long}?>`])
      expect(refused(whole.replace("<entry>", `${markup}<entry>`))).toMatch(/more than 1048576 characters/);
    expect(refused(" ".repeat(1_200_000) + whole)).toBeDefined();
    expect(refused(whole.replace("<entry>", "<a>".repeat(100_000)))).toMatch(/64 deep/);
  });

  it("where its bytes are not UTF-8", () => {
    expect(refused(Buffer.from(whole.replace("Garden", "Gärten"), "latin1"))).toMatch(/not UTF-8/);
    expect(refused(Buffer.concat([Buffer.from(whole), Buffer.from([0xc3])]))).toMatch(/not UTF-8/);
  });

  it("where two usage points would be one meter, or two reading types one type", () => {
    const two = feed(
      readingType(),
      ...["7", "8"].flatMap((id) => [point(id), meterReading(id), block(interval(HOUR, 1), id)]),
    );
    expect(refused(two)).toBeUndefined();
    expect(refused(two, { meter: "title" })).toMatch(/would be one meter/);
    expect(refused(feed(readingType(), readingType()))).toBeUndefined();
    expect(refused(feed(readingType(), readingType({ ...WATER, uom: 42 })))).toMatch(/differ/);
  });

  it("where more readings stand before their reading type than are held", () => {
    const reading = `<IntervalReading xmlns="http://naesb.org/espi"/>`;
    const entries = `<entry>${reading}</entry>`.repeat(95_239);
    expect(read(feed(entries)).refused).toMatch(/More than 2000000 readings/);
  });
});

describe("properties of ESPI files", () => {
  const reading = fc.record({
    start: fc.constantFrom(String(HOUR), String(HOUR + 900), "", "x", "1", "99999999999"),
    value: fc.constantFrom("1", "2.5", "", "-3", "x", "9".repeat(20)),
    duration: fc.constantFrom("3600", "900", "0", "", "x"),
    more: fc.constantFrom("", quality(8), quality(999), "<cost>1</cost>"),
  });
  const text = fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom("7", "8", "9"), fc.array(reading, { maxLength: 5 })), {
        maxLength: 5,
      }),
      fc.shuffledSubarray([point("7"), point("8", 0), meterReading("7"), meterReading("8"), readingType()], {
        minLength: 3,
      }),
      fc.constantFrom("", "ü€😀"),
      fc.nat(5),
    )
    .map(([blocks, entries, title, shift]) => {
      const all = blocks.map(([id, readings], i) =>
        block(readings.map((r) => interval(r.start, r.value, r.more, r.duration)).join("\n"), id, String(i)),
      );
      return feed(...entries.slice(0, shift), ...all, ...entries.slice(shift)).replace("Garden", title);
    });

  it("however the bytes are cut into chunks, the calls are the same", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(8000)), (file, cuts) => {
        expect(read(file, {}, cuts)).toEqual(read(file));
      }),
      { numRuns: 300 },
    );
  });

  it("every row and every value counts once", () => {
    fc.assert(
      fc.property(text, (file) => {
        const { reads, rejects, rows, rejected, valuesRejected } = read(file);
        const all = file.split("<IntervalReading>").length - 1;
        expect([rows + rejected, reads.length + valuesRejected]).toEqual([all, all]);
        expect(rejects).toHaveLength(rejected);
      }),
      { numRuns: 300 },
    );
  });

  it("whatever is changed in a file, it is read or rejected", () => {
    const originals = [
      feed(
        point(),
        meterReading(),
        block(interval(HOUR, 1500, quality(8)) + interval(HOUR + 3600, 2)),
        readingType(),
      ),
      feed(
        point("8", 2, "é"),
        block(interval(HOUR, 1), "8"),
        meterReading("8"),
        readingType({ ...WATER, accumulationBehaviour: 3 }),
      ),
    ];
    const words = [
      "<",
      ">",
      "&",
      "&#x0;",
      "]]>",
      "<!--",
      "<![CDATA[",
      "<?",
      "/",
      '"',
      "</entry>",
      "<entry>",
      "<IntervalReading>",
      "</IntervalReading>",
      "-",
      "9",
      "\r",
      "\n",
      "\u0000",
      "😀",
      'xmlns="http://naesb.org/espi"',
      "MeterReading",
      "&amp;",
    ];
    const { runs, refused, reads } = fuzzFormat(make(), originals, words);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(runs);
    expect(reads).toBeGreaterThan(0);
  }, 600_000);
});

it("reads the example of its page", () => {
  const { file, source } = pageExample("green-button", "xml");
  expect(read(file, source["espi"] as Options).reads).toMatchObject([
    { meter: "W-1", time: HOUR, length: 3600, ml: 5678, flags: Flag.estimated },
  ]);
});

describe("public samples", () => {
  const FOLDER = "../shared/samples/greenbutton";
  const names = ["15minLP_15Days.xml", "hourlyForMonthJan.xml", "Electric.xml"];
  const ELECTRIC: Options = { commodities: [1], treatAs: { 72: "L" } };
  for (const name of names) {
    const path = `${FOLDER}/${name}`;
    const real = existsSync(path) ? it : it.skip;
    real(`reads ${path}${existsSync(path) ? "" : " (absent: SKIPPED)"}`, () => {
      const bytes = readFileSync(path);
      // Counted without any XML: the samples have one tag a line.
      const parts = bytes.toString().split("<IntervalReading>").slice(1);
      const starts = parts.map((part) => Number(/<start>(\d+)</.exec(part)![1]));
      const values = parts.map((part) => Number(/<value>(\d+)</.exec(part)![1]));
      const lengths = parts.map((part) => Number(/<duration>(\d+)</.exec(part)![1]));
      const { reads, rejects, rows } = read(bytes, ELECTRIC);
      expect(rejects).toEqual([]);
      expect(rows).toBe(parts.length);
      expect(reads.map(({ time }) => time)).toEqual(starts);
      expect(reads.map(({ length }) => length)).toEqual(lengths);
      expect(reads.map(({ delivered }) => delivered)).toEqual(values);
      expect(reads.reduce((sum, { ml }) => sum + ml!, 0)).toBe(
        1000 * values.reduce((sum, value) => sum + value, 0),
      );
      // Electric.xml has bills.
      const kinds = lengths.map((length) => `01 ${length > LONGEST_USAGE ? "bill" : "usage"}`);
      expect(reads.map(({ meter, kind }) => `${meter} ${kind}`)).toEqual(kinds);
      const water = read(bytes);
      expect([water.reads.length, water.rejected, water.rejects[0]!.code]).toEqual([
        0,
        parts.length,
        "not-water",
      ]);
    });
  }
});
