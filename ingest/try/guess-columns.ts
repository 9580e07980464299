import { csvProfile } from "../../schemas/profile.js";
import { unitOf } from "../../schemas/units.js";
import type { OpenSetting } from "./guess.js";

/** As a profile has them that says nothing of them. */
export const NO_READ = csvProfile.parse({}).noRead;

export const NO_READ_WORDS = new Set(NO_READ.map((word) => word.toUpperCase()));

/** Names of columns as senders write them, without blanks and marks. */
export const NAMES = {
  meter: /^(meter|mtr|zähler|zaehler|compteur|medidor)(id|no|num|number|nr|nummer|key|name)?$/,
  meterLike:
    /^(meter|mtr)(sn|serial|serialno|serialnumber|serialnum)$|^(servicepoint|sp|service|device|endpoint|esn|miu|ert|mtu|nmi|register)(id|sn|no|number|serial)?$/,
  time: /time|date|datum|uhrzeit|stamp|zeit|ende$|beginn$|fecha|hora|interval(start|end)/,
  clockOnly: /clock|time|uhrzeit|hora|hour/,
  otherTime: /install|created|updated|birth|billed|billing|leakstart|movein|moveout|built/,
  usage: /usage|consum|volume|flow|delta|menge|verbrauch|demand|quantity|qty/,
  register: /register|reading|^read$|odometer|total|index|stand|counter|cumul|scaledread|meterread/,
  value: /val|wert|amount|litre|liter|gallon|gal$|ccf$|^cf|cubic|m3$|m³|usg|^l$/,
  noValue:
    /latitude|longitude|^lat|^lon|zip|postal|year|dials|battery|area|account|customer|phone|port|multiplier|scalar|resolution|size|raw|leak|temp|cost|price|charge/,
  unit: /unit|uom|einheit|unidad/,
  quality: /qual|flag|status|estim|valid/,
  estimated: /estim/,
  channel: /^(channel|kanal|canal|register(no|num|number)|registernumber|reg|port|stream)$/,
  serial: /serial|sn$/,
} as const;

export interface Column {
  readonly index: number;
  /** Header as it stands, or "". */
  readonly name: string;
  /** The name in lower case without blanks and marks. */
  readonly bare: string;
  /** Its cell in a row of units below the header, or "". */
  readonly unit: string;
  /** Without outer blanks, one a row. */
  readonly cells: readonly string[];
  /** Cells that are not empty. */
  readonly filled: readonly string[];
}

/** Gathers what is decided and what is left open. */
export class Findings {
  readonly seen: string[] = [];
  readonly open: OpenSetting[] = [];
  readonly columns: Record<string, string | number> = {};

  leave(path: string, alternatives: readonly string[], why: string, blocks: boolean): void {
    this.open.push({ path: `profile.${path}`, alternatives, why, blocks });
  }

  /** The column's name, or its position without one of its own. */
  take(what: string, column: Column, all: readonly Column[]): void {
    this.columns[what] = refOf(column, all);
  }
}

export function refOf({ name, index }: Column, all: readonly Column[]): string | number {
  const same = all.filter((one) => one.name.trim().toLowerCase() === name.trim().toLowerCase());
  return name.trim() === "" || same.length > 1 ? index + 1 : name.trim();
}

/** By its name, or without one by its words. */
export function isUnit({ name, bare, filled }: Column): boolean {
  if (filled.length === 0) return false;
  return name.trim() === "" ? filled.every((cell) => unitOf(cell) !== undefined) : NAMES.unit.test(bare);
}

/** Words of which the defaults of `quality` know what they mean, and words for an actual read. */
const QUALITY_WORDS = new Set([
  "",
  ...["E", "EST", "ESTIMATED", "ADJUSTED", "EDITED", "SUSPECT", "QUESTIONABLE"],
  ...["A", "ACT", "ACTUAL", "OK", "GOOD", "VALID"],
]);

const ESTIMATED_MARKS = new Set(["", "0", "1", "Y", "N", "TRUE", "FALSE", "YES", "NO"]);
const MOST_QUALITY_WORDS = 16;

/** Whether the defaults of `quality` know what all words of a column mean. */
export function hasKnownQuality({ bare, cells }: Column): boolean {
  const words = new Set(cells.map((cell) => cell.toUpperCase()));
  const marks = NAMES.estimated.test(bare);
  return (
    words.size <= MOST_QUALITY_WORDS &&
    [...words].every((word) => QUALITY_WORDS.has(word) || (marks && ESTIMATED_MARKS.has(word)))
  );
}
