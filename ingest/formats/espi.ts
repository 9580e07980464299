import { SaxesParser, type SaxesTagNS } from "saxes";
import { canonicalMeter } from "../../schemas/canonical.js";
import { Flag } from "../../schemas/flags.js";
import type { EspiOptions } from "../../schemas/formats/espi.js";
import { LONGEST_USAGE, MAX_SECOND } from "../../schemas/reads.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { EspiLinks, pathOf, type EntryLinks, type Joined, type UsagePoint } from "./espi-links.js";
import { ReadGate, wrongId } from "./read-gate.js";
import { FileRejected, type FormatReader, type RowCounts, type ReadSink, type Series } from "./format.js";

export interface EspiReaderOptions {
  readonly espi: EspiOptions;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const ATOM = "http://www.w3.org/2005/Atom";
const ESPI = "http://naesb.org/espi";
const XML_PIECE = 64 * 1024;
/** Bytes of one tag, text or comment. */
const MOST_MARKUP = 1024 * 1024;
const MOST_DEPTH = 64;
/** Characters of the links of one entry. */
const MOST_ENTRY_LINKS = 16 * 1024 * 1024;
/** Readings held because what they belong to has not come yet: bounds memory. */
const MOST_HELD = 2_000_000;
/** An entry that is held takes as much memory as so many readings. */
const ENTRY_COST = 20;
/** Characters that are kept of what is wrong with a reading, and of a number of a reading type. */
const MOST_VALUE = 80;

/** Units by their ESPI code (UnitSymbolKind of NAESB REQ.21). */
const UNITS: ReadonlyMap<number, Unit> = new Map([
  [42, "m3"],
  [119, "ft3"],
  [128, "gal"],
  [130, "imp-gal"],
  [134, "L"],
] as const);
/** Commodity of a service category, for reading types that name none: electricity, gas, water. */
const COMMODITY_OF_SERVICE: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 7],
  [2, 9],
]);
/** AccumulationKind: 4 is the delta of an interval; 1 (bulk quantity), 3 (cumulative), 9 (summation) are dials. */
const KINDS: ReadonlyMap<number, Series["kind"]> = new Map([
  [4, "usage"],
  [1, "register"],
  [3, "register"],
  [9, "register"],
] as const);
const TYPE_FIELDS: ReadonlySet<string> = new Set([
  "accumulationBehaviour",
  "commodity",
  "defaultQuality",
  "flowDirection",
  "intervalLength",
  "powerOfTenMultiplier",
  "uom",
]);
/** FlowDirectionKind: not applicable, forward (to the customer), net, total. */
const TOWARDS_CUSTOMER: ReadonlySet<number> = new Set([0, 1, 4, 20]);

interface Fault {
  readonly code: RejectCode;
  readonly field: string;
  readonly value: string | null;
}

/** Readings of one entry, a column each. */
interface Readings {
  readonly line: number[];
  readonly offset: number[];
  readonly length: number[];
  /** UTC seconds. */
  readonly start: number[];
  /** Seconds, NaN where none is given. */
  readonly duration: number[];
  /** NaN: no read. */
  readonly value: number[];
  readonly decimals: number[];
  /** -1 where no quality is given. */
  readonly flags: number[];
  /** What is wrong with the text of a reading, by its index. */
  readonly faults: Map<number, Fault>;
}

/** An entry that is being read. */
interface Entry {
  readonly links: EntryLinks;
  linkCharacters: number;
  title: string;
  resource: "UsagePoint" | "MeterReading" | "ReadingType" | undefined;
  serviceKind: number;
  readonly type: Map<string, string>;
  readings: Readings | undefined;
}

/** Readings that wait for the entries that they belong to. */
interface Held {
  readonly links: EntryLinks;
  /** Taken away when they are handed over: a link that never comes may keep the rest. */
  readings: Readings | undefined;
}

/** How the values of a reading type count at a usage point. */
interface Measure {
  readonly series: Series;
  readonly unit: Unit;
  readonly mlPerUnit: number;
  /** Seconds, NaN where the reading type gives none. */
  readonly intervalLength: number;
  readonly defaultFlags: number;
}

/**
 * Reads Green Button files: the Atom feed of ESPI (NAESB REQ.21), as XML that streams.
 *
 *     feed    = entry…                         namespace http://www.w3.org/2005/Atom
 *     entry   = link[rel=self|up|related]… title content
 *     content = UsagePoint | MeterReading | ReadingType | IntervalBlock… | others, passed over
 *     IntervalBlock   = IntervalReading…       namespace http://naesb.org/espi
 *     IntervalReading = timePeriod(start, duration) value ReadingQuality(quality)…
 *
 * Links join the entries: a block's `up` leads to its meter reading, that one's `related` to its reading type and its
 * `up` to the usage point. Readings that come before what they belong to are held, 2,000,000 at most (an entry counts
 * as 20 besides).
 *
 * Units: `uom` times ten to `powerOfTenMultiplier`. Times: `start` is UTC seconds, the beginning of the interval;
 * fractions are cut off. A register value stands at the end of its period.
 *
 * A row is one IntervalReading, and has one value. Facts: the schema espi.xsd of the OpenESPI project (Apache-2.0), and
 * IEC 61968-9 for the codes.
 */
export class EspiReader implements FormatReader {
  readonly #options: EspiOptions;
  readonly #gate: ReadGate;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #xml = new SaxesParser({ xmlns: true });
  readonly #links = new EspiLinks<Held>();
  readonly #held = new Set<Held>();
  readonly #meters = new Map<string, UsagePoint>();
  readonly #flags = new Map<number, number>();
  /** Names of the open elements: as they are in ESPI, `atom:…` in Atom, "" in others. */
  readonly #path: string[] = [];
  #heldCost = 0;
  #text = "";
  #entry: Entry | undefined;
  /** Texts of the reading that is being read, by the names of their elements. */
  #reading: Map<string, string> | undefined;
  #readingLine = 0;
  #readingOffset = 0;
  #readingFlags = -1;
  /** The piece of text that is being parsed, and where it begins. */
  #piece = "";
  #pieceIsAscii = true;
  #pieceBytes = 0;
  #pieceCharacters = 0;
  /** Where the piece of markup before ended. */
  #progress = 0;

  constructor({ espi, now }: EspiReaderOptions, sink: ReadSink) {
    this.#options = espi;
    this.#gate = new ReadGate(sink, now, "source.espi");
    const { estimated, adjusted, suspect } = espi.quality;
    for (const code of estimated) this.#flags.set(code, Flag.estimated);
    for (const code of adjusted) this.#flags.set(code, Flag.adjusted);
    for (const code of suspect) this.#flags.set(code, Flag.suspect);
    const xml = this.#xml;
    xml.on("error", () => this.#refuse("xml", "is not well-formed XML"));
    xml.on("doctype", () => this.#refuse("xml", "has a DOCTYPE, which a feed has not"));
    xml.on("opentagstart", ({ name }) => this.#startTag(name));
    xml.on("opentag", (tag) => this.#openTag(tag));
    xml.on("closetag", () => this.#closeTag());
    xml.on("text", (text) => this.#addText(text));
    xml.on("cdata", (text) => this.#addText(text));
    xml.on("comment", () => this.#advance());
    xml.on("processinginstruction", () => this.#advance());
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    for (let at = 0; at < chunk.length; at += XML_PIECE) this.#parse(chunk.subarray(at, at + XML_PIECE));
    if (!last) return;
    this.#decode();
    this.#xml.close();
    this.#closeEntry();
    for (const { readings } of this.#held) this.#rejectUnlinked(readings!);
    this.#held.clear();
  }

  #parse(bytes: Buffer): void {
    this.#pieceCharacters += this.#piece.length;
    this.#pieceBytes += this.#pieceIsAscii ? this.#piece.length : Buffer.byteLength(this.#piece);
    this.#piece = this.#decode(bytes);
    this.#pieceIsAscii = Buffer.byteLength(this.#piece) === this.#piece.length;
    this.#xml.write(this.#piece);
    if (this.#xml.position - this.#progress > MOST_MARKUP)
      this.#refuse("xml", `has a tag, text or comment of more than ${MOST_MARKUP} characters`);
  }

  #decode(bytes?: Buffer): string {
    try {
      return this.#decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new FileRejected(
        "file",
        `The file is not UTF-8 after line ${this.#xml.line}. Set the source's encoding to the file's.`,
      );
    }
  }

  #refuse(field: string, what: string): never {
    throw new FileRejected(
      field,
      `The file ${what}, at line ${this.#xml.line}. Look whether it is whole, and a Green Button (ESPI) feed.`,
    );
  }

  /** Byte of the decoded file at which the parser stands. */
  #offset(): number {
    const characters = this.#xml.position - this.#pieceCharacters;
    if (this.#pieceIsAscii) return this.#pieceBytes + characters;
    return this.#pieceBytes + Buffer.byteLength(this.#piece.slice(0, characters));
  }

  #advance(): void {
    this.#progress = this.#xml.position;
  }

  #addText(text: string): void {
    this.#advance();
    this.#text += text;
  }

  /** Called when the name of a tag was read, and the character after it. */
  #startTag(name: string): void {
    if (!name.endsWith("IntervalReading")) return;
    this.#readingOffset = this.#offset() - Buffer.byteLength(name) - 2;
    this.#readingLine = this.#xml.line;
  }

  #openTag({ local, uri, attributes }: SaxesTagNS): void {
    this.#advance();
    const path = this.#path;
    const parent = path[path.length - 1];
    const name = uri === ESPI ? local : uri === ATOM ? `atom:${local}` : "";
    if (path.length === 0 && name !== "atom:feed" && name !== "atom:entry")
      this.#refuse("xml", "is no Atom feed");
    if (path.length === MOST_DEPTH) this.#refuse("xml", `has elements ${MOST_DEPTH} deep`);
    path.push(name);
    this.#text = "";
    switch (name) {
      case "atom:entry":
        this.#closeEntry();
        this.#entry = newEntry();
        break;
      case "atom:link":
        if (parent === "atom:entry") this.#link(attributes["rel"]?.value, attributes["href"]?.value ?? "");
        break;
      case "UsagePoint":
      case "MeterReading":
      case "ReadingType":
        if (parent === "atom:content" && this.#entry !== undefined) this.#entry.resource = name;
        break;
      case "IntervalReading":
        if (this.#reading !== undefined) this.#refuse("xml", "has an interval reading within another");
        this.#reading = new Map();
        this.#readingFlags = -1;
        break;
      case "":
        if (local === "IntervalReading")
          this.#refuse("xml", "has interval readings of another namespace than ESPI's");
        break;
    }
  }

  #link(rel: string | undefined, href: string): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    const path = pathOf(href);
    entry.linkCharacters += path.length;
    if (entry.linkCharacters > MOST_ENTRY_LINKS)
      this.#refuse("link", `has an entry with links of more than ${MOST_ENTRY_LINKS} characters`);
    if (rel === "self") entry.links.self = path;
    else if (rel === "up") entry.links.up = path;
    else if (rel === "related") entry.links.related.push(path);
  }

  #closeTag(): void {
    this.#advance();
    const path = this.#path;
    const name = path.pop()!;
    const parent = path[path.length - 1];
    const grandparent = path[path.length - 2];
    const text = this.#text.trim();
    this.#text = "";
    const entry = this.#entry;
    if (name === "IntervalReading") this.#closeReading();
    else if (this.#reading !== undefined) {
      if (parent === "IntervalReading" && name === "value") this.#reading.set("value", text);
      else if (grandparent !== "IntervalReading") return;
      else if (parent === "timePeriod" && (name === "start" || name === "duration"))
        this.#reading.set(name, text);
      else if (parent === "ReadingQuality" && name === "quality")
        this.#readingFlags = Math.max(this.#readingFlags, 0) | this.#flagsOf(text);
    } else if (name === "atom:entry") this.#closeEntry();
    else if (entry === undefined) return;
    else if (name === "atom:title" && parent === "atom:entry") entry.title = text;
    else if (parent === "ReadingType" && TYPE_FIELDS.has(name))
      entry.type.set(name, text.slice(0, MOST_VALUE));
    else if (name === "kind" && parent === "ServiceCategory" && grandparent === "UsagePoint")
      entry.serviceKind = wholeNumber(text);
  }

  #flagsOf(code: string): number {
    return this.#flags.get(wholeNumber(code)) ?? 0;
  }

  #closeReading(): void {
    const texts = this.#reading!;
    this.#reading = undefined;
    this.#entry ??= newEntry();
    const readings = (this.#entry.readings ??= newReadings());
    const index = readings.line.length;
    const wrong = (code: RejectCode, field: string, value: string | null) => {
      if (!readings.faults.has(index))
        readings.faults.set(index, { code, field, value: value?.slice(0, MOST_VALUE) ?? null });
    };
    const start = texts.get("start");
    const duration = texts.get("duration") ?? "";
    const value = texts.get("value") ?? "";
    const seconds = start === undefined ? NaN : secondsOf(start);
    if (Number.isNaN(seconds)) wrong("bad-time", "start", start ?? null);
    const length = duration === "" ? NaN : secondsOf(duration);
    if (duration !== "" && Number.isNaN(length)) wrong("bad-length", "duration", duration);
    const number = value === "" ? NaN : numberOf(value);
    if (value !== "" && Number.isNaN(number)) wrong("bad-number", "value", value);
    readings.line.push(this.#readingLine);
    readings.offset.push(this.#readingOffset);
    readings.length.push(this.#offset() - this.#readingOffset);
    readings.start.push(seconds);
    readings.duration.push(length);
    readings.value.push(number);
    readings.decimals.push(Number.isNaN(number) ? 0 : (value.split(".")[1]?.length ?? 0));
    readings.flags.push(this.#readingFlags);
    this.#hold(1);
  }

  #hold(cost: number): void {
    this.#heldCost += cost;
    if (this.#heldCost <= MOST_HELD) return;
    throw new FileRejected(
      "IntervalBlock",
      `More than ${MOST_HELD} readings stand before the reading types or usage points that they belong to ` +
        `(an entry counts as ${ENTRY_COST} besides). Drop the file in parts.`,
    );
  }

  #closeEntry(): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry === undefined) return;
    const { links, readings, resource } = entry;
    if (readings !== undefined) {
      const held = { links, readings };
      this.#hold(ENTRY_COST);
      this.#held.add(held);
      this.#release(held);
    }
    if (resource === undefined) return;
    for (const held of this.#take(entry, resource)) if (this.#held.has(held)) this.#release(held);
  }

  #take({ links, title, serviceKind, type }: Entry, resource: NonNullable<Entry["resource"]>): Held[] {
    switch (resource) {
      case "UsagePoint":
        return this.#links.takeUsagePoint(links, { path: links.self, title, serviceKind });
      case "MeterReading":
        return this.#links.takeMeterReading(links);
      case "ReadingType":
        return this.#links.takeReadingType(links, type);
    }
  }

  /** Hands over held readings, if all that they belong to has come. */
  #release(held: Held): void {
    const joined = this.#links.join(held.links, held);
    if (joined === undefined) return;
    const readings = held.readings!;
    held.readings = undefined;
    this.#held.delete(held);
    this.#heldCost -= readings.line.length + ENTRY_COST;
    this.#readAll(readings, joined);
  }

  #readAll(readings: Readings, joined: Joined): void {
    const measure = this.#measure(joined);
    for (let i = 0; i < readings.line.length; i++) {
      this.#begin(readings, i);
      const fault =
        "code" in measure ? measure : (readings.faults.get(i) ?? this.#read(readings, i, measure));
      if (fault !== undefined) this.#gate.rejectRow(fault.code, fault.field, fault.value, 1);
      this.#gate.end();
    }
  }

  #begin({ line, offset, length }: Readings, i: number): void {
    this.#gate.begin({ line: line[i]!, offset: offset[i]!, length: length[i]! });
  }

  #rejectUnlinked(readings: Readings): void {
    for (let i = 0; i < readings.line.length; i++) {
      this.#begin(readings, i);
      this.#gate.rejectRow("unlinked-reading", "link", null, 1);
      this.#gate.end();
    }
  }

  /** How the values count, or why none of them can be taken. */
  #measure({ type, point }: Joined): Measure | Fault {
    const options = this.#options;
    const number = (name: string) => wholeNumber(type.get(name) ?? "");
    const commodity = number("commodity") || COMMODITY_OF_SERVICE.get(point.serviceKind) || 0;
    if (!options.commodities.includes(commodity))
      return { code: "not-water", field: "commodity", value: String(commodity) };
    const uom = type.get("uom") ?? "";
    const unit = options.treatAs[uom] ?? UNITS.get(wholeNumber(uom));
    if (unit === undefined) return { code: "unknown-unit", field: "uom", value: uom };
    const bad = (field: string): Fault => ({
      code: "bad-reading-type",
      field,
      value: type.get(field) ?? null,
    });
    const power = type.has("powerOfTenMultiplier") ? number("powerOfTenMultiplier") : 0;
    if (!(Math.abs(power) <= 12)) return bad("powerOfTenMultiplier");
    if (type.has("flowDirection") && !TOWARDS_CUSTOMER.has(number("flowDirection")))
      return bad("flowDirection");
    const behaviour = type.has("accumulationBehaviour") ? number("accumulationBehaviour") : 0;
    const kind = behaviour === 0 ? options.accumulation : KINDS.get(behaviour);
    if (kind === undefined) return bad("accumulationBehaviour");
    const meterId = canonicalMeter(this.#meterOf(point), options.meterId);
    const wrong = wrongId(meterId, "", "");
    if (wrong !== undefined) return { ...wrong, value: null };
    const other = this.#meters.get(meterId);
    if (other === undefined) this.#meters.set(meterId, point);
    else if (other.path !== point.path) {
      throw new FileRejected(
        "meter",
        "Two usage points of the file would be one meter. Set espi.meter to another of id, path and title.",
      );
    }
    return {
      series: this.#gate.series(meterId, "", "", kind),
      unit,
      mlPerUnit: MILLILITRES[unit] * 10 ** power,
      intervalLength: number("intervalLength"),
      defaultFlags: this.#flagsOf(type.get("defaultQuality") ?? ""),
    };
  }

  #meterOf({ path, title }: UsagePoint): string {
    switch (this.#options.meter) {
      case "id":
        return path.slice(path.lastIndexOf("/") + 1);
      case "path":
        return path;
      case "title":
        return title;
    }
  }

  #read(readings: Readings, i: number, measure: Measure): Fault | undefined {
    const { unit, mlPerUnit, intervalLength, defaultFlags } = measure;
    let { series } = measure;
    const duration = readings.duration[i]!;
    const flags = readings.flags[i]!;
    const value = readings.value[i]!;
    let time = readings.start[i]!;
    let length = 0;
    if (series.kind === "usage") {
      // A duration of 0 is said by senders that leave the length to the reading type.
      length = duration > 0 ? duration : intervalLength;
      const wanted = this.#options.intervalLength ?? length;
      if (!(length >= 1 && length <= MAX_SECOND) || length !== wanted)
        return { code: "bad-length", field: "duration", value: Number.isNaN(length) ? null : String(length) };
      if (length > LONGEST_USAGE) series = this.#gate.series(series.meterId, "", "", "bill");
    } else if (duration > 0) {
      time += duration;
    }
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    series.decimals = Math.max(series.decimals, readings.decimals[i]!);
    series.last = time;
    const code = this.#gate.read(series, time, length, value, flags < 0 ? defaultFlags : flags);
    if (code === undefined) return undefined;
    const isTime = code === "time-in-future" || code === "time-too-early";
    return { code, field: isTime ? "start" : "value", value: String(isTime ? readings.start[i]! : value) };
  }
}

function newEntry(): Entry {
  return {
    links: { self: "", up: "", related: [] },
    linkCharacters: 0,
    title: "",
    resource: undefined,
    serviceKind: NaN,
    type: new Map(),
    readings: undefined,
  };
}

function newReadings(): Readings {
  return {
    line: [],
    offset: [],
    length: [],
    start: [],
    duration: [],
    value: [],
    decimals: [],
    flags: [],
    faults: new Map(),
  };
}

/** Seconds, fractions cut off; NaN where the text is no such number. */
function secondsOf(text: string): number {
  return /^\d{1,11}(\.\d{1,20})?$/.test(text) ? Math.floor(Number(text)) : NaN;
}

function wholeNumber(text: string): number {
  return /^[+-]?\d{1,9}$/.test(text) ? Number(text) : NaN;
}

function numberOf(text: string): number {
  return text.length <= 64 && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
}
