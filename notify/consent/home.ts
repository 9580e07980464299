import { TimeZone } from "../../infra/time-zone.js";
import type { Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { MILLILITRES } from "../../schemas/units.js";
import { endingOf } from "../outbox/compose.js";
import { Format } from "../templates/format.js";
import { servicesOf } from "./choices.js";
import { inUnits, lockContact } from "./contact.js";
import { declareBudget, declareNormal, declarePeriod, endNormal, HEEDING, MOST_NORMAL } from "./declare.js";
import { findContact, linkOf, type ConsentStores } from "./subscription.js";
import type { ConsentKind } from "./wording.js";
import type { Language } from "../words/index.js";

/** Longest time that a home can be called empty, and that water can run on purpose: days. */
const MOST_DAYS_AWAY = 184;
const MOST_DAYS_ON_PURPOSE = 7;
const DAY = 86_400;

/** What residents said of their home. Days are local, YYYY-MM-DD. */
export interface Home {
  /** With the units that they read. */
  readonly utility: UtilityConfig;
  readonly language: Language;
  readonly services: readonly {
    readonly occupancy: number;
    /** Last four of the account number, where it is long enough to stay private. */
    readonly ending: string | undefined;
    /** The day on which they leave, and that on which they are back. */
    readonly away: { readonly leave: string; readonly back: string } | undefined;
    /** The last day on which water runs on purpose. */
    readonly onPurpose: string | undefined;
    /** What they want to keep to in a calendar month, in their units; `undefined`: it is not offered (see `describeHome`). */
    readonly budget: string | undefined;
    /** Flows that are normal, such as "5 gallons". */
    readonly normal: readonly { readonly declaration: number; readonly flow: string }[];
    /** Whether they may say how much is normal: of a home with one meter, whose rules heed it. */
    readonly takesNormal: boolean;
  }[];
  /** The most that they can call normal, such as "60 gallons". */
  readonly mostNormal: string;
  /** What may run in a day while nobody is there, such as "5.28 gallons"; `undefined`: the utility does not judge it. */
  readonly allowance: string | undefined;
  /** First and last day that the form takes. */
  readonly days: { readonly first: string; readonly lastAway: string; readonly lastOnPurpose: string };
}

/** What a resident filled in for one service; blank days say that there is nothing (any more). */
export interface HomeForm {
  readonly occupancy: number;
  readonly leave: string;
  readonly back: string;
  readonly onPurpose: string;
  /** A number in their units. */
  readonly budget: string;
  /** What an hour may bring and be normal, in their units; blank: nothing new is said. */
  readonly normal: string;
  /** Normal flows that are so no longer. */
  readonly ended: readonly number[];
}

export type HomeField = "leave" | "back" | "onPurpose" | "budget" | "normal";

interface Row {
  readonly declaration_id: number;
  readonly occupancy_id: number;
  readonly kind: "normal" | "away" | "on-purpose" | "budget";
  readonly rate: number | null;
  readonly from: number;
  readonly until: number | null;
}

/**
 * The page about the homes of whoever holds the link of a mail; `undefined` where the token is none of ours. A budget is
 * offered to who hears of high usage, of a home with one meter: each meter is judged by itself.
 */
export async function describeHome(stores: ConsentStores, token: string): Promise<Home | undefined> {
  const link = linkOf(stores, "choices", token);
  const contact = link && (await findContact(link, link.database));
  if (link === undefined || contact === undefined || contact.address_sealed === null) return undefined;
  const { language } = contact;
  const utility = inUnits(contact.utility, contact.units);
  const days = new TimeZone(utility.timeZone);
  const format = new Format(utility, language);
  const now = Math.floor(stores.clock.now() / 1000);
  const services = await servicesOf(stores, link.database, contact);
  const said = await currentOf(
    link.database,
    services.map(({ occupancy_id }) => occupancy_id),
    now,
  );
  const today = days.dayOf(now);
  const { rules, away } = utility.detect;
  return {
    utility,
    language,
    allowance: rules.includes("away") ? format.volume(away.minVolume) : undefined,
    mostNormal: format.volume(MOST_NORMAL),
    days: {
      first: dateOf(today),
      lastAway: dateOf(today + MOST_DAYS_AWAY),
      lastOnPurpose: dateOf(today + MOST_DAYS_ON_PURPOSE),
    },
    services: services
      .filter(({ kinds }) => kinds.length > 0)
      .map(({ occupancy_id, number_sealed, kinds, meters }) => {
        const own = said.filter((one) => one.occupancy_id === occupancy_id);
        return {
          occupancy: occupancy_id,
          ending: number_sealed === null ? undefined : endingOf(stores.vault, utility.id, number_sealed),
          ...shown(own, days),
          budget: offersBudget(utility, kinds, meters) ? budgetText(own, format) : undefined,
          normal: own
            .filter(({ kind }) => kind === "normal")
            .map(({ declaration_id, rate }) => ({
              declaration: declaration_id,
              flow: format.volume(rate!),
            })),
          takesNormal: takesNormal(utility, meters),
        };
      }),
  };
}

/**
 * Takes over what a resident says of a home: whole days without anybody, from the one after they leave to the one before
 * they are back; water on purpose from now to the end of a day; a budget for this month and those that follow; flows that
 * are normal no longer.
 * @returns the fields that can't be, with nothing changed; `undefined` where the token or the service is none of theirs
 */
export async function saveHome(
  stores: ConsentStores,
  token: string,
  form: HomeForm,
): Promise<readonly HomeField[] | undefined> {
  const now = stores.clock.now();
  const link = linkOf(stores, "choices", token);
  if (link === undefined) return undefined;
  return link.database.transaction(async (transaction) => {
    const contact = await findContact(link, transaction);
    if (contact === undefined || !(await lockContact(transaction, contact.id))) return undefined;
    const services = await servicesOf(stores, transaction, contact);
    const service = services.find(
      ({ occupancy_id, kinds }) => occupancy_id === form.occupancy && kinds.length > 0,
    );
    if (service === undefined) return undefined;
    const utility = inUnits(contact.utility, contact.units);
    const second = Math.floor(now / 1000);
    const zone = new TimeZone(utility.timeZone);
    const format = new Format(utility, contact.language);
    const wanted = wantedOf(form, zone, second, utility.units);
    if (wanted.wrong.length > 0) return wanted.wrong;
    const by = { utility: utility.id, contact_id: contact.id, occupancy_id: form.occupancy };
    const said = await currentOf(transaction, [form.occupancy], second);
    const known = shown(said, zone);
    // What stands as it was keeps its beginning.
    if (form.leave !== (known.away?.leave ?? "") || form.back !== (known.away?.back ?? ""))
      await declarePeriod(transaction, by, "away", wanted.away, new Date(now));
    if (form.onPurpose !== (known.onPurpose ?? ""))
      await declarePeriod(transaction, by, "on-purpose", wanted.onPurpose, new Date(now));
    if (offersBudget(utility, service.kinds, service.meters) && form.budget !== budgetText(said, format)) {
      // Of the month in hand what flowed before counts as well.
      const from = new Date(zone.firstInstantFrom(monthBegin(zone.dayOf(second)) * DAY) * 1000);
      const budget = wanted.budget === undefined ? undefined : { ml: wanted.budget, from };
      await declareBudget(transaction, by, budget, new Date(now));
    }
    if (wanted.normal !== undefined && takesNormal(utility, service.meters))
      await declareNormal(transaction, by, {
        meter: await meterOf(transaction, form.occupancy, new Date(now)),
        rate: wanted.normal,
        now: new Date(now),
      });
    for (const declaration of form.ended)
      await endNormal(transaction, form.occupancy, declaration, new Date(now));
    return [];
  });
}

interface Period {
  readonly from: Date;
  readonly until: Date;
}

/** What stands, in the days of the form: away from the first whole day to the beginning of that of the return. */
function shown(said: readonly Row[], zone: TimeZone): Pick<Home["services"][number], "away" | "onPurpose"> {
  const away = said.find(({ kind }) => kind === "away");
  const onPurpose = said.find(({ kind }) => kind === "on-purpose");
  return {
    away: away && { leave: dateOf(zone.dayOf(away.from - 1)), back: dateOf(zone.dayOf(away.until!)) },
    onPurpose: onPurpose && dateOf(zone.dayOf(onPurpose.until! - 1)),
  };
}

function wantedOf(
  { leave, back, onPurpose, budget, normal }: HomeForm,
  zone: TimeZone,
  now: number,
  units: UtilityConfig["units"],
): {
  readonly wrong: HomeField[];
  readonly away: Period | undefined;
  readonly onPurpose: Period | undefined;
  /** mL a month. */
  readonly budget: number | undefined;
  /** mL an hour. */
  readonly normal: number | undefined;
} {
  const wrong: HomeField[] = [];
  const today = zone.dayOf(now);
  const begin = (day: number) => zone.firstInstantFrom(day * DAY);
  let away: Period | undefined;
  if (leave !== "" || back !== "") {
    const left = dayOf(leave);
    const home = dayOf(back);
    if (left === undefined || left > today + MOST_DAYS_AWAY) wrong.push("leave");
    if (home === undefined || home <= today || home > today + MOST_DAYS_AWAY) wrong.push("back");
    else if (left !== undefined && home - left < 2) wrong.push("back");
    if (wrong.length === 0) away = period(Math.max(begin(left! + 1), now), begin(home!));
  }
  let filling: Period | undefined;
  if (onPurpose !== "") {
    const last = dayOf(onPurpose);
    if (last === undefined || last < today || last > today + MOST_DAYS_ON_PURPOSE) wrong.push("onPurpose");
    else filling = period(now, begin(last + 1));
  }
  const volume = (field: HomeField, text: string, most: number) => {
    if (text === "") return undefined;
    const ml = Math.round(Number(text.replace(",", ".")) * MILLILITRES[units]);
    if (/^\d{1,7}([.,]\d{1,3})?$/.test(text) && ml > 0 && ml <= most) return ml;
    wrong.push(field);
    return undefined;
  };
  return {
    wrong,
    away,
    onPurpose: filling,
    budget: volume("budget", budget, Infinity),
    normal: volume("normal", normal, Math.ceil(MOST_NORMAL)),
  };
}

function takesNormal({ detect }: UtilityConfig, meters: number): boolean {
  return meters === 1 && detect.rules.some((rule) => HEEDING.includes(rule));
}

/** The one meter of a home. */
async function meterOf(on: Queryable, occupancy: number, now: Date): Promise<string> {
  const [meter] = await on.query<{ meter_key: string }>(
    `SELECT m.meter_key FROM premise_meters m JOIN occupancies o USING (premise_id)
     WHERE o.occupancy_id = $1 AND m.valid_from <= $2 AND (m.valid_until IS NULL OR m.valid_until > $2)`,
    [occupancy, now],
  );
  return meter!.meter_key;
}

function offersBudget({ detect }: UtilityConfig, kinds: readonly ConsentKind[], meters: number): boolean {
  return detect.rules.includes("budget") && kinds.includes("high-usage") && meters === 1;
}

/** The budget that stands, as the form has it; blank without one. */
function budgetText(said: readonly Row[], format: Format): string {
  const budget = said.find(({ kind }) => kind === "budget");
  return budget === undefined ? "" : format.plain(budget.rate!);
}

/** The first day of the month of a day, days since 1970-01-01. */
function monthBegin(day: number): number {
  return day + 1 - new Date(day * DAY * 1000).getUTCDate();
}

function period(from: number, until: number): Period {
  return { from: new Date(from * 1000), until: new Date(until * 1000) };
}

function currentOf(on: Queryable, occupancies: readonly number[], now: number): Promise<Row[]> {
  return on.query<Row>(
    `SELECT declaration_id, occupancy_id, kind, rate::float8 AS rate, extract(epoch FROM from_at)::float8 AS "from",
       extract(epoch FROM until_at)::float8 AS until
     FROM declarations
     WHERE occupancy_id = ANY ($1) AND coalesce(until_at > to_timestamp($2) AND until_at > from_at, true)
     ORDER BY declaration_id`,
    [occupancies, now],
  );
}

/** Days since 1970-01-01 of a date as forms write it. */
function dayOf(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const time = Date.parse(date);
  return Number.isNaN(time) || dateOf(time / 1000 / DAY) !== date ? undefined : time / 1000 / DAY;
}

function dateOf(day: number): string {
  return new Date(day * DAY * 1000).toISOString().slice(0, 10);
}
