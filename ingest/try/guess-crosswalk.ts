import { meterClass } from "../../schemas/meters.js";
import type { CrosswalkColumn } from "../../schemas/formats/crosswalk.js";
import { NAMES, refOf, type Column } from "./guess-columns.js";
import { dateFormatOf } from "./guess-time.js";
import type { Guess, OpenSetting } from "./guess.js";

/** Names of a crosswalk's columns as billing systems write them, without blanks and marks. */
const OWN: readonly (readonly [CrosswalkColumn, RegExp])[] = [
  ["account_id", /^(acc(oun)?t|customer|cust)(id|no|num|number|nbr|nr)?$/],
  ["location_id", /^(location|loc|premises?|prem|parcel|servicepoint|sp)(id|no|num|number|nbr|nr)?$/],
  ["name", /^(customer|cust|account|full)?name$/],
  ["address", /address|^(service)?addr$|street/],
  ["zip", /^zip(code)?$|^post(al)?code$/],
  ["email", /mail/],
  ["phone", /phone|^cell$|^mobile$/],
  ["move_in", /^movein(date)?$|^(service|account)?start(date)?$/],
  ["move_out", /^moveout(date)?$|^(service|account)?end(date)?$/],
  ["class", /class|^(rate|account|customer|service)type$/],
  ["meter_size", /^(meter)?size$/],
];
/** What is read of a meter: such a file is none of customers. */
const READ = /read|usage|consum|flow|volume|register(?!ed)/;
const MOST_WORDS = 12;

/** Guesses the source of a file of customers and their meters; `undefined` where it is none. */
export function guessCrosswalk(
  columns: readonly Column[],
  dialect: Record<string, unknown>,
): Guess | undefined {
  const named = columns.filter(({ name }) => name.trim() !== "");
  if (named.some(({ bare }) => READ.test(bare))) return undefined;
  const found = new Map<CrosswalkColumn, Column>();
  const take = (what: CrosswalkColumn, test: RegExp) => {
    const column = named.find((one) => test.test(one.bare) && ![...found.values()].includes(one));
    if (column !== undefined) found.set(what, column);
  };
  take("meter_id", NAMES.meter);
  if (!found.has("meter_id")) take("meter_id", NAMES.meterLike);
  for (const [what, test] of OWN) take(what, test);
  if (
    !found.has("meter_id") ||
    !found.has("account_id") ||
    !(found.has("location_id") || found.has("address"))
  )
    return undefined;
  const open: OpenSetting[] = [];
  if (!found.has("location_id")) {
    open.push({
      path: "crosswalk.columns.location_id",
      alternatives: [],
      why: "which column is the id of the premise? Where there is none, the address may do",
      blocks: true,
    });
  }
  const own = [...found].filter(([what, { name }]) => name.trim().toLowerCase() !== what);
  const names = own.map(([what, column]) => [what, refOf(column, columns)] as const);
  const date = dateOf([...found], open);
  leaveClasses(found.get("class"), open);
  const crosswalk = {
    ...(names.length === 0 ? {} : { columns: Object.fromEntries(names) }),
    ...(date === undefined || date === "YYYY-MM-DD" ? {} : { date }),
  };
  return {
    settings: {
      format: "crosswalk",
      ...(Object.keys(dialect).length === 0 ? {} : { profile: dialect }),
      ...(Object.keys(crosswalk).length === 0 ? {} : { crosswalk }),
    },
    seen: ["the columns of customers and their meters, and none of reads"],
    open,
  };
}

function dateOf(
  columns: readonly (readonly [CrosswalkColumn, Column])[],
  open: OpenSetting[],
): string | undefined {
  const dates = columns.filter(([what]) => what === "move_in" || what === "move_out");
  const cells = dates.flatMap(([, { filled }]) => filled);
  if (cells.length === 0) return undefined;
  const found = dateFormatOf(cells);
  if ("format" in found) return found.format;
  open.push({ path: "crosswalk.date", ...found, blocks: true });
  return undefined;
}

function leaveClasses(column: Column | undefined, open: OpenSetting[]): void {
  const known: readonly string[] = meterClass.options;
  const words = [...new Set(column?.filled ?? [])].filter((word) => !known.includes(word.toLowerCase()));
  if (words.length === 0) return;
  const short = words.length <= MOST_WORDS && words.every((word) => /^[\p{L}\p{N} ._/-]{1,16}$/u.test(word));
  open.push({
    path: "crosswalk.classes",
    alternatives: short ? [`{ ${words.map((word) => `${JSON.stringify(word)}: null`).join(", ")} }`] : [],
    why: `the classes have words of the sender's own; each is ${known.join(", ")}, or null where it says nothing`,
    blocks: true,
  });
}
