import {
  type Column,
  estimatedWords,
  type Findings,
  hasKnownQuality,
  NAMES,
  refOf,
  saysEstimated,
} from "./guess-columns.js";
import { dateFormatOf } from "./guess-time.js";

/** The two sides of a bill as billing systems name them, at either end of a column's name. */
export const PREVIOUS =
  /^(prev(ious)?|prior|last|old|start(ing)?|beg(in(ning)?)?|open(ing)?|from)|(prev(ious)?|prior|old|start|alt|vorher|anterior|ancien(ne)?)$/;
export const CURRENT =
  /^(curr?(ent)?|present|pres|new|latest|end(ing)?|clos(e|ing)|to(?=read|date)|nouve(l|au))|(curr?(ent)?|present|new|end|neu|aktuell|actual|nouve(l|au))$/;
export const CODE = /code|type|status|estim|method|source|qual|flag/;
export const DAYS = /days/;
export const MULTIPLIER = /mult|const|factor/;
const MOST_CODES = 16;

/** Takes what there is one column for, and asks which of several it is, or which it is where it is `needed`. */
export function taking(
  found: Findings,
  columns: readonly Column[],
): (what: string, list: readonly Column[], why: string, needed: boolean) => Column | undefined {
  return (what, list, why, needed) => {
    if (list.length === 1) found.take(what, list[0]!, columns);
    else if (list.length > 1 || needed)
      found.leave(
        `columns.${what}`,
        list.map((one) => String(refOf(one, columns))),
        why,
        needed,
      );
    return list.length === 1 ? list[0] : undefined;
  };
}

/** The column of the meter, by its name. @param others that it may be where no name tells */
export function takeMeter(
  named: readonly Column[],
  others: readonly Column[],
  columns: readonly Column[],
  found: Findings,
): Column | undefined {
  const byName = (name: RegExp) => named.filter(({ bare }) => name.test(bare));
  const meters = firstOf(byName(NAMES.meter), byName(NAMES.meterLike));
  const why = "which column is the identity of the meter?";
  if (meters.length > 0) return taking(found, columns)("meter", meters, why, true);
  const asked = others.filter(({ bare }) => !isOfBill(bare));
  found.leave(
    "columns.meter",
    asked.map((one) => String(refOf(one, columns))),
    why,
    true,
  );
  return undefined;
}

/** What a bill says beside its reads, and no meter is named by: accounts are, where a file names no meter. */
function isOfBill(bare: string): boolean {
  if (/account|acct|customer|premise|location/.test(bare)) return false;
  return [NAMES.usage, NAMES.unit, NAMES.noValue, CODE, DAYS, MULTIPLIER].some((words) => words.test(bare));
}

/** The first list with anything in it. */
export function firstOf<T>(list: readonly T[], other: readonly T[]): readonly T[] {
  return list.length > 0 ? list : other;
}

/** The column that says whether a read was estimated, by its name or, whatever that is, by its words. */
export function guessCode(
  named: readonly Column[],
  columns: readonly Column[],
  billing: Record<string, unknown>,
  found: Findings,
): void {
  const codes = named.filter(
    ({ bare, filled }) =>
      CODE.test(bare) &&
      !PREVIOUS.test(bare) &&
      new Set(filled).size <= MOST_CODES &&
      !filled.every((cell) => /^\d{2,}$/.test(cell)),
  );
  const sure = codes.filter(hasKnownQuality);
  if (sure.length === 1) {
    found.take("code", sure[0]!, columns);
    return;
  }
  const spoken = named.filter(saysEstimated);
  const able = spoken.length === 1 ? spoken : codes;
  const words = able.length === 1 ? estimatedWords(able[0]!) : undefined;
  if (words !== undefined) {
    found.take("code", able[0]!, columns);
    billing["quality"] = { estimated: words };
  } else if (codes.length > 0)
    found.leave(
      "columns.code",
      codes.map((one) => String(refOf(one, columns))),
      "says whether the current read was estimated? Its words belong into quality.estimated",
      false,
    );
}

/** Both dates are written alike. */
export function guessFormat(
  dates: readonly Column[],
  billing: Record<string, unknown>,
  found: Findings,
): void {
  const cells = dates.flatMap(({ filled }) => filled);
  if (cells.length === 0) return;
  const seen = dateFormatOf(cells);
  if ("format" in seen) billing["time"] = { format: seen.format };
  else found.leave("time.format", seen.alternatives, seen.why, true);
}
