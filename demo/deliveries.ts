import { ReadKind } from "./home-water.js";
import { DUPLICATE_DROPPED, LATE_DROPPED, MISREAD, SPECIAL_DAYS, type Home, type Town } from "./town.js";

/** A file as the head-end or the billing system drops it, and what must become of it. */
export interface Delivery {
  readonly source: "ami" | "customers";
  readonly name: string;
  readonly text: string;
  /** What is special about it, in words. */
  readonly note?: string;
  readonly state: "archived" | "duplicate" | "rejected";
  readonly correction: boolean;
  /** Reads with a value, without those of rejected rows. */
  readonly reads: number;
  /** Reject code of each row that must be rejected. */
  readonly rejects: readonly string[];
}

const HEADER = "meter_id,register_serial,read_time,reading,unit,quality\n";

/** The crosswalk: it comes before the first reads. */
export function crosswalk(town: Town): Delivery {
  const columns = [
    "meter_id",
    "account_id",
    "location_id",
    "name",
    "address",
    "zip",
    "email",
    "class",
    "normal_flow_l_per_h",
  ];
  const rows = town.homes.map((home) =>
    [
      home.meterId,
      home.accountId,
      home.locationId,
      home.name,
      `"${home.address}"`,
      home.zip,
      home.email,
      home.normalFlow === undefined ? "single-family" : "always-on",
      home.normalFlow === undefined ? "" : (home.normalFlow * LITRES_PER_GALLON).toFixed(3),
    ].join(","),
  );
  return {
    source: "customers",
    name: "crosswalk.csv",
    text: [columns.join(","), ...rows, ""].join("\n"),
    note: "customers",
    state: "archived",
    correction: false,
    reads: 0,
    rejects: [],
  };
}

const LITRES_PER_GALLON = 3.785411784;

/** Writes a town's files. */
export class HeadEnd {
  readonly #town: Town;
  readonly #values: ReadonlyMap<Home, Float64Array>;
  /** Local time of each hour as the head-end writes it: the hour that comes twice in autumn is written twice. */
  readonly #stamps: readonly string[];

  constructor(town: Town) {
    this.#town = town;
    this.#values = new Map(town.homes.map((home) => [home, home.water.values()]));
    this.#stamps = Array.from({ length: town.firstHour(town.days) }, (_, hour) => {
      const instant = town.instantOf(hour);
      const local = new Date((instant + town.zone.offsetAt(instant)) * 1000);
      return local.toISOString().slice(0, 16).replace("T", " ");
    });
  }

  /** Files that are dropped on the morning after a day. */
  after(day: number): Delivery[] {
    const { late, corrected, badRows, notUnderstood, duplicate } = SPECIAL_DAYS;
    const files: Delivery[] = [];
    if (day === corrected)
      files.push({ ...this.#daily(day, true), note: "first version, with estimates and a misread register" });
    else if (day === badRows) files.push(this.#withBadRows(day));
    else if (day !== late) files.push(this.#daily(day));
    if (day === LATE_DROPPED) files.unshift({ ...this.#daily(late), note: "two days late" });
    if (day === DUPLICATE_DROPPED)
      files.push({
        ...this.#daily(duplicate),
        note: "the same bytes once more",
        state: "duplicate",
        reads: 0,
      });
    if (day === corrected + 1)
      files.push({ ...this.#daily(corrected), note: "same name, other bytes", correction: true });
    if (day === notUnderstood) files.push(this.#notUnderstood(day));
    return files;
  }

  #daily(day: number, firstVersion = false): Delivery {
    const { homes, collector, misread, firstHour } = this.#town;
    const rows: string[] = [];
    let reads = 0;
    const [first, next] = [firstHour(day), firstHour(day + 1)];
    for (const home of homes) {
      const { water } = home;
      const values = this.#values.get(home)!;
      const estimates = firstVersion && collector.has(home.number);
      const misreadFrom = firstVersion && home.number === misread ? first + MISREAD.hour : next;
      for (let hour = first; hour < next; hour++) {
        const kind = estimates ? ReadKind.estimated : water.reads[hour]!;
        const serial = `${water.exchangedAt >= 0 && hour >= water.exchangedAt ? "B" : "A"}${home.meterId}`;
        const begin = `${home.meterId},${serial},${this.#stamps[hour]!},`;
        if (kind === ReadKind.missing) {
          if (water.emptyReads.has(hour)) rows.push(`${begin},GAL,`);
          continue;
        }
        reads++;
        const estimated = kind === ReadKind.estimated;
        // An estimate lies between the reads around it.
        const guess = estimated && hour > 0 ? water.usage[hour - 1]! >> 1 : 0;
        const value = values[hour]! - guess + (hour > misreadFrom ? MISREAD.tenths : 0);
        rows.push(`${begin}${Math.floor(value / 10)}.${value % 10},GAL,${estimated ? "E" : ""}`);
      }
    }
    return {
      source: "ami",
      name: `reads_${this.#town.dateOf(day)}.csv`,
      text: `${HEADER}${rows.join("\n")}\n`,
      state: "archived",
      correction: false,
      reads,
      rejects: [],
    };
  }

  #withBadRows(day: number): Delivery {
    const daily = this.#daily(day);
    const meter = this.#town.homes[4]!.meterId;
    const date = this.#town.dateOf(day);
    const bad: readonly (readonly [row: string, code: string])[] = [
      [`,A0,${date} 04:00,5120.4,GAL,`, "missing-meter"],
      [`${meter},A${meter},2026-13-40 04:00,5120.4,GAL,`, "bad-time"],
      [`${meter},A${meter},${date} 25:30,5120.4,GAL,`, "bad-time"],
      [`${meter},A${meter},2031-01-01 00:00,5120.4,GAL,`, "time-in-future"],
      [`${meter},A${meter},${date} 05:30,51Z0.4,GAL,`, "bad-number"],
      [`${meter},A${meter},${date} 05:30,#REF!,GAL,`, "bad-number"],
      [`${meter},A${meter},${date} 05:30,5120.4,barrels,`, "unknown-unit"],
      [`${meter},A${meter},${date} 05:30,99999999999999,GAL,`, "out-of-range"],
      [`${meter},A${meter}`, "too-few-columns"],
    ];
    const lines = daily.text.split("\n");
    bad.forEach(([row], i) => lines.splice(40 + i * 150, 0, row));
    return {
      ...daily,
      text: lines.join("\n"),
      note: "some bad rows",
      rejects: bad.map(([, code]) => code),
    };
  }

  #notUnderstood(day: number): Delivery {
    return {
      source: "ami",
      name: `inventory_${this.#town.dateOf(day)}.csv`,
      text: "warehouse,item,count\nnorth,register 5/8 inch,40\n",
      note: "not a file of reads",
      state: "rejected",
      correction: false,
      reads: 0,
      rejects: [],
    };
  }
}
