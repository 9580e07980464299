import type { TimeColumnRef } from "../../schemas/formats/common.js";
import { csvProfile } from "../../schemas/profile.js";
import { unitOf } from "../../schemas/units.js";
import type { OpenSetting } from "./guess.js";

/** As a profile has them that says nothing of them. */
export const NO_READ = csvProfile.parse({}).noRead;

export const NO_READ_WORDS = new Set(NO_READ.map((word) => word.toUpperCase()));

/** Names of columns as senders write them, without blanks and marks. */
export const NAMES = {
  meter:
    /^(meter|mtr|zähler|zaehler|compteur|medidor|contador|contatore|contor|hidrometro|hidrômetro|watermeter)(id|no|num|number|nr|nummer|key|name|code|ref)?$/,
  meterLike:
    /^(meter|mtr)(sn|serial|serialno|serialnumber|serialnum)$|^(servicepoint|sp|service|device|endpoint|esn|miu|ert|mtu|nmi|register)(id|sn|no|number|serial)?$|^(cups|mprn|pdr|zählpunkt(bezeichnung)?|supplypoint)$|(?<!para|dia|peri|centi|milli|cubic|kubik)meter(id|no|num|number|code)?$/,
  time: /time|date|datum|uhrzeit|stamp|zeit|ende$|beginn$|fecha|hora|heure|giorno|interval(start|end)|^data$|^ts$|epoch|unix/,
  clockOnly: /clock|time|uhrzeit|hora|hour|heure/,
  otherTime: /install|created|updated|birth|billed|billing|leakstart|movein|moveout|built/,
  usage:
    /usage|^(water)?used?(gal|gallons|kgal|cf|ccf|hcf|m3|m³|l|litres|liters)?$|consum|consom|^cons$|verbrui|volume|flow|delta|menge|verbrauch|demand|quantity|qty/,
  register:
    /register|reading|^read(cf|ccf|hcf|ft3|gal|gallons|kgal|l|m3|m³|value)?$|odometer|total|index|stand|counter|cumul|scaledread|meterread|^(curr?(ent)?|end|last)read|lectura|lettura|leitura|relev/,
  value: /val|wert|amount|litre|liter|gallon|gal$|ccf$|^cf|cubic|m3$|m³|usg|^l$/,
  noValue:
    /latitude|longitude|^lat|^lon|zip|postal|year|dials|battery|area|account|customer|phone|port|multiplier|scalar|resolution|size|raw|leak|temp|cost|price|charge|interval(length|minutes|seconds|s)?$|rate$|gpm|lpm|m3h|instant|coste|precio|betrag/,
  unit: /unit|uom|einheit|unidad/,
  quality:
    /qual|flag|status|(read|rdg|reading)(type|code|source|method)|estim|geschätzt|geschaetzt|stimat|valid/,
  estimated: /estim|geschätzt|geschaetzt|stimat/,
  channel: /^(channel|kanal|canal|register(no|num|number)|registernumber|reg|port|stream)$/,
  serial: /serial|sn$/,
} as const;

export interface Column {
  readonly index: number;
  /** Header as it stands, or "". */
  readonly name: string;
  /** Its `bareName`. */
  readonly bare: string;
  /** Its cell in a row of units below the header, or "". */
  readonly unit: string;
  /** Without outer blanks, one a row. */
  readonly cells: readonly string[];
  /** Cells that are not empty. */
  readonly filled: readonly string[];
  /** The file's columns, where this one is made of several: their cells with a blank between them. */
  readonly parts?: readonly Column[];
}

/** Gathers what is decided and what is left open. */
export class Findings {
  readonly seen: string[] = [];
  readonly open: OpenSetting[] = [];
  readonly columns: Record<string, TimeColumnRef> = {};

  leave(path: string, alternatives: readonly string[], why: string, blocks: boolean): void {
    this.open.push({ path: `profile.${path}`, alternatives, why, blocks });
  }

  /** The column's name, or its position without one of its own. */
  take(what: string, column: Column, all: readonly Column[]): void {
    this.columns[what] = refOf(column, all);
  }
}

/** A name in lower case, without blanks and marks. */
export function bareName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}³]/gu, "");
}

export function refOf({ name, index, parts }: Column, all: readonly Column[]): TimeColumnRef {
  if (parts !== undefined) return parts.flatMap((one) => refOf(one, parts));
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

/** Words of other languages, and longer ones, by what they mean. */
const SPOKEN = {
  estimated: /^(e|est|estim\p{L}*|stimat\p{L}*|szacunk\p{L}*|gesch(ä|ae)tzt|ersatzwert|geschat)\.?$/iu,
  actual:
    /^(a|act|actual|ok|good|valid|real|r[ée]el(le)?|mesur[ée]e?|relev[ée]e?|gemessen|abgelesen|le[ií]d[oa]|lid[oa]|medid[oa]|misurat[oa]|rilevat[oa]|lett[oa])?\.?$/iu,
  yes: /^(y|yes|true|1|j|ja|o|oui|s|s[ií]|sim|x)$/iu,
  no: /^(|n|no|non|nein|nee|false|0|n[ãa]o)$/iu,
} as const;

/** The words of a column that mean an estimate, where each of its words is known to mean one or none. */
export function estimatedWords({ bare, cells }: Column): readonly string[] | undefined {
  const words = [...new Set(cells)];
  const by = (yes: RegExp, no: RegExp) =>
    words.every((word) => yes.test(word) || no.test(word))
      ? words.filter((word) => yes.test(word))
      : undefined;
  if (words.length > MOST_QUALITY_WORDS) return undefined;
  return (
    by(SPOKEN.estimated, SPOKEN.actual) ??
    (NAMES.estimated.test(bare) ? by(SPOKEN.yes, SPOKEN.no) : undefined)
  );
}

/** Whatever its name is: whole words for actual and estimated reads, of each one at least. */
export function saysEstimated({ cells }: Column): boolean {
  const words = [...new Set(cells)].filter((word) => word.length > 3);
  return [SPOKEN.estimated, SPOKEN.actual].every(
    (kind) =>
      words.some((word) => kind.test(word)) &&
      cells.every((cell) => SPOKEN.estimated.test(cell) || SPOKEN.actual.test(cell)),
  );
}

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
