import { constants, gunzipSync } from "node:zlib";
import { TextDecoder } from "node:util";
import { stringify } from "yaml";
import { FileRejected } from "../formats/format.js";
import { begins, notText } from "../formats/not-text.js";
import { guessCsv } from "./guess-csv.js";

/** What the file does not tell: a setting that somebody has to fill in. */
export interface OpenSetting {
  /** Path below the source, such as `profile.time.zone`. */
  readonly path: string;
  readonly alternatives: readonly string[];
  readonly why: string;
  /** Without it the file can't be read; otherwise the setting's default serves for a trial. */
  readonly blocks: boolean;
}

/** How a file may be read: a source's settings as far as the file tells them. */
export interface Guess {
  readonly settings: Readonly<Record<string, unknown>>;
  /** What was seen, in words. */
  readonly seen: readonly string[];
  readonly open: readonly OpenSetting[];
}

export interface GuessInput {
  /** The file's first bytes, as they lie there. */
  readonly head: Buffer;
  /** These are all its bytes. */
  readonly whole: boolean;
  /** IANA zone of the utility, where it is known. */
  readonly timeZone?: string;
}

/** A file can be tried with its guess as it stands. */
export function isWhole({ settings, open }: Guess): boolean {
  return "format" in settings && !open.some(({ blocks }) => blocks);
}

type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "latin1";

/**
 * Looks at a file's first bytes and says how it may be read. What is ambiguous is left open, never chosen.
 * @throws FileRejected where it is something else than text
 */
export function guess({ head, whole, timeZone }: GuessInput): Guess {
  const seen: string[] = [];
  const packing: Record<string, unknown> = {};
  let bytes = head;
  let all = whole;
  if (begins(bytes, [0x1f, 0x8b])) {
    packing["compression"] = "gzip";
    seen.push("gzip");
    const unpacked = gunzipped(bytes);
    if (unpacked === undefined) return nothing(seen, "The gzip file is damaged.");
    bytes = unpacked;
  }
  if (begins(bytes, [0x50, 0x4b, 0x03, 0x04]))
    return nothing(seen, "A zip archive, or a spreadsheet: guess the file that is in it.");
  if (bytes.length === 0) return nothing(seen, "The file is empty.");
  const foreign = notText(bytes);
  if (foreign !== undefined) throw new FileRejected("file", foreign);
  const encoding = encodingOf(bytes, all);
  if (encoding !== "utf-8") packing["encoding"] = encoding;
  seen.push(ENCODINGS[encoding]);
  let text = new TextDecoder(encoding).decode(bytes).replace(/\uFFFD+$/, "");
  if (bytes.length > MOST_TEXT) {
    text = text.slice(0, MOST_TEXT);
    all = false;
  }
  if (text.includes("\0")) return nothing(seen, "The file holds NUL characters: it is no text.");
  const { settings, seen: more, open } = knownFormat(text) ?? guessCsv(text, { whole: all, timeZone });
  return { settings: withPacking(settings, packing), seen: [...seen, ...more], open };
}

/** Characters that are looked at. */
const MOST_TEXT = 4 * 1024 * 1024;

const ENCODINGS: Readonly<Record<Encoding, string>> = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16, little endian",
  "utf-16be": "UTF-16, big endian",
  latin1: "not UTF-8: Latin-1 (Windows-1252) is supposed, look at names with accents",
};

function nothing(seen: readonly string[], why: string): Guess {
  return { settings: {}, seen, open: [{ path: "format", alternatives: [], why, blocks: true }] };
}

function gunzipped(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 * MOST_TEXT });
  } catch {
    return undefined;
  }
}

function encodingOf(bytes: Buffer, whole: boolean): Encoding {
  if (begins(bytes, [0xff, 0xfe])) return "utf-16le";
  if (begins(bytes, [0xfe, 0xff])) return "utf-16be";
  const head = bytes.subarray(0, 4096);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < head.length; i++) {
    if (head[i] !== 0) continue;
    if (i % 2 === 0) even++;
    else odd++;
  }
  if (odd > head.length / 4 && even === 0) return "utf-16le";
  if (even > head.length / 4 && odd === 0) return "utf-16be";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !whole });
    return "utf-8";
  } catch {
    return "latin1";
  }
}

/** Settings of packing and encoding stand where their format has them. */
function withPacking(
  settings: Guess["settings"],
  packing: Readonly<Record<string, unknown>>,
): Guess["settings"] {
  if (Object.keys(packing).length === 0) return settings;
  return { ...settings, profile: { ...packing, ...(settings["profile"] as object | undefined) } };
}

/** Formats that their first records tell. */
function knownFormat(text: string): Guess | undefined {
  const lines = text.split(/\r\n|\r|\n/, 50).filter((line) => line.trim() !== "");
  const [first = ""] = lines;
  if (/^(MEPMD0[12]|MEPEC01|MLA01),/.test(first)) {
    const key = /^MEPMD01,[^,]*,[^,]*,[^,]*:\d{6},/.test(first);
    return {
      settings: { format: "cmep" },
      seen: ["CMEP records"],
      open: [
        {
          path: "cmep.meter",
          alternatives: key
            ? ["key", "meter-id", "receiver-customer-id", "receiver-id"]
            : ["meter-id", "receiver-customer-id", "receiver-id"],
          why: key
            ? "which field names the meter; the 4th field has six digits that say it (key)"
            : "which field names the meter",
          blocks: false,
        },
        {
          path: "cmep.zone",
          alternatives: ["UTC", "utility"],
          why: "the protocol says UTC, and local feeds exist",
          blocks: false,
        },
      ],
    };
  }
  const nem = /^100,(NEM1[23])\b/.exec(first);
  if (nem !== null) {
    return {
      settings: { format: "nem" },
      seen: [`${nem[1]!} records`],
      open: [
        {
          path: "nem.utcOffset",
          alternatives: ["+10:00", "+08:00"],
          why: "+10:00 in the National Electricity Market, +08:00 in Western Australia",
          blocks: false,
        },
      ],
    };
  }
  if (/^\s*</.test(text) && /naesb\.org\/espi|http:\/\/www\.w3\.org\/2005\/Atom/.test(text))
    return { settings: { format: "espi" }, seen: ["Atom XML (Green Button)"], open: [] };
  if (first.startsWith("{")) return jsonLines(lines);
  if (/^(FHD|CHD|RHD)/.test(first) && lines.some((line) => line.startsWith("RDG")))
    return fixedWidth("itron-mvrs", "MV-RS records", ["records"]);
  if (first.startsWith("COMHD")) return fixedWidth("neptune-equinox", "Neptune Equinox records", []);
  return undefined;
}

function jsonLines(lines: readonly string[]): Guess | undefined {
  const types = new Set<string>();
  let telegrams = 0;
  for (const line of lines) {
    const member = (name: string) => new RegExp(`"${name}"\\s*:\\s*"([^"]*)"`).exec(line)?.[1];
    if (member("_") === "telegram") telegrams++;
    else if (/"Message"\s*:/.test(line)) types.add(member("Type") ?? "");
  }
  if (telegrams === 0 && types.size === 0) return undefined;
  return {
    settings: { format: "json-lines" },
    seen: [
      ...(telegrams > 0 ? ["telegrams of wmbusmeters"] : []),
      ...(types.size > 0 ? [`messages of rtlamr: ${[...types].join(", ")}`] : []),
    ],
    open: [...types].map((type) => ({
      path: `jsonLines.rtlamr.${type}`,
      alternatives: ["{ unit: gal, multiplier: 0.1 }", "{ unit: gal }", "{ unit: ft3 }"],
      why: "the message names no unit, and without one its type is rejected",
      blocks: telegrams === 0,
    })),
  };
}

function fixedWidth(preset: string, seen: string, open: readonly "records"[]): Guess {
  return {
    settings: { format: "fixed-width", fixedWidth: { preset } },
    seen: [seen],
    open: [
      ...open.map((name) => ({
        path: `fixedWidth.${name}`,
        alternatives: ["[{ prefix: MTR, columns: { meter: { from: 46, to: 57 } } }]"],
        why: "where the meter's id stands is not public: count its characters",
        blocks: true,
      })),
      {
        path: "fixedWidth.unit",
        alternatives: ["gal", "ccf", "ft3", "m3", "L"],
        why: "the file does not name the unit",
        blocks: false,
      },
    ],
  };
}

/**
 * The guess as a source of the configuration, in YAML. What is open stands in comments with its alternatives.
 * @param name of the file
 */
export function guessText(of: Guess, name: string): string {
  const whole = isWhole(of);
  const lines = [
    `# ${name.replace(/[^\x20-\x7e]/g, "?")}, looked at by curbstop profile guess.`,
    ...of.seen.map((one) => `# Seen: ${one}.`),
    whole
      ? "# It can be tried as it stands. Lines that begin with # are not told by the file: ask the sender."
      : "# It can't be tried as it stands: settle the lines that begin with #?, one of the alternatives each.",
  ];
  render({ id: "ami", folder: "drop/ami", ...of.settings }, of.open, "", "", lines);
  return lines.map((line) => line + "\n").join("");
}

/** Settings, and behind them what is open below `path`. */
function render(
  settings: Readonly<Record<string, unknown>>,
  open: readonly OpenSetting[],
  path: string,
  indent: string,
  lines: string[],
): void {
  const given = Object.entries(settings).filter(([, value]) => !isEmptyObject(value));
  for (const [name, value] of given) {
    const key = stringify(name).trim();
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      lines.push(`${indent}${key}:`);
      render(value as Record<string, unknown>, open, `${path}${name}.`, `${indent}  `, lines);
    } else {
      lines.push(`${indent}${key}: ${JSON.stringify(value)}`);
    }
  }
  const names = new Set(given.map(([name]) => name));
  const below = open.filter((one) => one.path.startsWith(path) && !names.has(headOf(one, path)));
  renderOpen(below, path, indent, "", lines);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** The part of the path that comes behind `path`. */
function headOf(one: OpenSetting, path: string): string {
  return one.path.slice(path.length).split(".")[0]!;
}

/** Comments that are settings once their marks are taken away. */
function renderOpen(
  open: readonly OpenSetting[],
  path: string,
  indent: string,
  inner: string,
  lines: string[],
): void {
  for (const head of new Set(open.map((one) => headOf(one, path)))) {
    const same = open.filter((one) => headOf(one, path) === head);
    const nested = same.filter((one) => one.path !== path + head);
    if (nested.length > 0) {
      lines.push(`${indent}${markOf(nested)} ${inner}${head}:`);
      renderOpen(nested, `${path}${head}.`, indent, `${inner}  `, lines);
    }
    for (const one of same.filter((other) => !nested.includes(other))) {
      const lead = `${indent}${markOf([one])} ${inner}`;
      const { alternatives, why } = one;
      lines.push(`${lead}# ${why}`);
      lines.push(`${lead}${head}: ${alternatives.length === 0 ? "FILL-IN" : alternatives.join(" | ")}`);
    }
  }
}

function markOf(open: readonly OpenSetting[]): string {
  return open.some(({ blocks }) => blocks) ? "#?" : "#";
}
