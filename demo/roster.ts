import { ReadKind, type HomeWater } from "./home-water.js";

/** What happens in one home. */
export interface Story {
  readonly name: string;
  /** In words, for the tables. */
  readonly what: string;
  /** Gallons an hour that the crosswalk calls normal. */
  readonly normalFlow?: number;
  /** Hours that no lost read may touch, beside what is planted. */
  readonly clean?: readonly (readonly [number, number])[];
  pour(water: HomeWater): void;
}

/** Tenths of a gallon. */
const gallons = (amount: number) => Math.round(amount * 10);

function leak(name: string, day: number, hour: number, hours: number, rate: number, what = name): Story {
  return {
    name,
    what,
    pour: (water) => water.leak(water.hour(day, hour), hours, gallons(rate), `${what}, ${rate} gal/h`),
  };
}

function spike(name: string, day: number, hour: number, hours: number, rate: number): Story {
  return {
    name,
    what: name,
    pour: (water) => water.spike(water.hour(day, hour), hours, gallons(rate), `${name}, ${rate} gal/h`),
  };
}

/** Homes with something to find. Leaks "to the end" last longer than any period. */
export function plantings(days: number): Story[] {
  const toTheEnd = 24 * days;
  return [
    leak("toilet flapper", 10, 14, 9 * 24, 1.5),
    leak("dripping hose bib", 6, 9, 30, 3),
    leak("faucet left on", 17, 20, 26, 7),
    leak("service line", 19, 2, 5 * 24, 12),
    leak("burst under the sink", 26, 11, 40, 25),
    leak("leak as the clock is put back", 29, 16, 4 * 24, 4),
    leak("leak across the late file", 22, 8, 5 * 24, 5),
    leak("leak while the collector is down", 32, 10, 3 * 24, 3),
    {
      name: "24 hours to the hour",
      what: "24 hours to the hour",
      pour(water) {
        const from = water.hour(12, 2);
        water.set(from - 1, from, () => 0);
        water.leak(from, 24, gallons(2), "24 hours to the hour, 2 gal/h");
      },
    },
    leak("pinhole", days - 18, 6, toTheEnd, 2.5),
    leak("water softener stuck", days - 10, 23, toTheEnd, 15),
    leak("irrigation valve weeping", days - 5, 4, toTheEnd, 8),
    leak("leak of the last days", days - 3, 12, toTheEnd, 1.2),
    {
      name: "leak across a meter exchange",
      what: "leak across a meter exchange",
      pour(water) {
        water.leak(water.hour(27, 6), 6 * 24, gallons(6), "leak across a meter exchange, 6 gal/h");
        water.exchangedAt = water.hour(30, 10);
      },
    },
    {
      name: "leak read by estimates",
      what: "leak with many estimated reads",
      pour(water) {
        const from = water.hour(9, 13);
        water.leak(from, 4 * 24, gallons(4), "leak with every tenth read estimated, 4 gal/h");
        for (let hour = from + 5; hour < from + 4 * 24; hour += 10) water.reads[hour] = ReadKind.estimated;
      },
    },
    {
      name: "mended in vain",
      what: "toilet mended in vain",
      pour(water) {
        water.leak(water.hour(8, 7), 3 * 24, gallons(2), "toilet, 2 gal/h");
        water.leak(water.hour(30, 15), 6 * 24, gallons(9), "the same toilet again, 9 gal/h");
      },
    },
    {
      name: "leak above normal flow",
      what: "leak in a home with continuous normal flow",
      normalFlow: NORMAL_FLOW,
      pour(water) {
        alwaysOn(water);
        water.leak(water.hour(16, 5), 4 * 24, gallons(14), "leak above the normal flow, 14 gal/h");
      },
    },
    spike("pool filling", 21, 10, 3, 400),
    spike("hose left in the yard", 27, 18, 1, 250),
    spike("irrigation valve stuck open", 35, 5, 5, 600),
    spike("water heater burst at midnight", 36, 22, 4, 350),
    spike("hydrant hose", 23, 13, 2, 900),
    {
      name: "burst while a toilet leaks",
      what: "burst while a toilet leaks",
      pour(water) {
        water.leak(water.hour(18, 8), 6 * 24, gallons(2.2), "toilet, 2.2 gal/h");
        water.spike(water.hour(21, 15), 2, gallons(300), "pipe burst while the toilet leaks, 300 gal/h");
      },
    },
    {
      name: "leak without an answer",
      what: "leak in a home whose sign-up was never confirmed",
      pour: (water) => water.leak(water.hour(14, 3), 7 * 24, gallons(6), "toilet, 6 gal/h"),
    },
  ];
}

/** Homes whose usage looks like trouble and is none. */
export function negatives(): Story[] {
  return [
    {
      name: "slow drip",
      what: "drip of 0.6 gal/h: less than what counts as flow",
      pour: (water) => water.add(water.hour(11, 0), water.hour(31, 0), gallons(0.6)),
    },
    {
      name: "cooler",
      what: "evaporative cooler 23 hours a day",
      pour(water) {
        water.set(water.hour(5, 0), water.hour(20, 0), (hour) =>
          water.calendar.hourAt(hour) === 3 ? 0 : gallons(3),
        );
      },
      // A lost read in the one dry hour would hide it.
      clean: [[0, 24 * 40]],
    },
    {
      name: "always on",
      what: "flow that the crosswalk calls normal",
      normalFlow: NORMAL_FLOW,
      pour: alwaysOn,
    },
    {
      name: "sprinklers",
      what: "150 gal of irrigation each night",
      pour(water) {
        for (let day = 0; day < water.calendar.days; day++)
          water.add(water.hour(day, 4), water.hour(day, 5), gallons(140 + ((day * 7) % 20)));
      },
    },
    {
      name: "guests",
      what: "guests for ten days",
      pour: (water) =>
        water.set(water.hour(24, 0), water.hour(34, 0), (hour) => Math.min(700, water.usage[hour]! * 2)),
    },
    {
      name: "vacation",
      what: "nobody at home for two weeks",
      pour: (water) => water.set(water.hour(16, 12), water.hour(30, 18), () => 0),
    },
    {
      name: "flow by estimates",
      what: "28 hours of flow, ten of them only estimated",
      pour(water) {
        const from = water.hour(13, 5);
        water.set(from, from + 28, () => gallons(5));
        water.set(from + 28, from + 30, () => 0);
        for (let hour = from + 4; hour < from + 24; hour += 4) water.reads[hour] = ReadKind.estimated;
      },
      clean: [[24 * 12, 24 * 16]],
    },
    {
      name: "twenty hours",
      what: "20 hours of flow",
      pour(water) {
        const from = water.hour(15, 5);
        water.set(from, from + 20, () => gallons(6));
        water.set(from + 20, from + 22, () => 0);
      },
      clean: [[24 * 14, 24 * 18]],
    },
    {
      name: "hole in the flow",
      what: "twice 18 hours of flow with eight hours unread between",
      pour(water) {
        const from = water.hour(37, 5);
        water.set(from, from + 44, () => gallons(6));
        water.set(from + 44, from + 46, () => 0);
        for (let hour = from + 19; hour < from + 26; hour++) water.reads[hour] = ReadKind.missing;
      },
      clean: [[24 * 36, 24 * 41]],
    },
    {
      name: "meter exchange",
      what: "meter exchange: the register begins anew",
      pour(water) {
        water.exchangedAt = water.hour(28, 11);
      },
    },
    {
      name: "jitter",
      what: "register that steps back by half a gallon at night",
      pour(water) {
        for (let day = 2; day < water.calendar.days; day += 5) water.stepsBack.add(water.hour(day, 4));
      },
    },
    {
      name: "misread",
      what: "register misread by 300 gal, then corrected",
      clean: [[24 * 32, 24 * 36]],
      pour: () => undefined,
    },
    {
      name: "laundry",
      what: "three hours of 68 gal: less than a spike",
      pour: (water) => water.set(water.hour(25, 10), water.hour(25, 13), () => gallons(68)),
    },
  ];
}

const NORMAL_FLOW = 10;

/** Four to six gallons in every hour, and what the people use. */
function alwaysOn(water: HomeWater): void {
  water.set(0, water.calendar.hours, (hour) => water.usage[hour]! + gallons(4 + (hour % 3)));
}

/** Somebody who signs up. */
export interface Resident {
  readonly home: number;
  readonly kinds: readonly ("leak" | "high-usage")[];
  /** Whether the link in the confirmation mail is followed. */
  readonly confirms: boolean;
}

const BOTH = ["leak", "high-usage"] as const;

/** Twenty residents who opt in, and one who never answers the confirmation mail. */
export function residents(homeOf: ReadonlyMap<string, number>, ordinary: readonly number[]): Resident[] {
  const wanted: [string, readonly ("leak" | "high-usage")[]][] = [
    ["toilet flapper", BOTH],
    ["dripping hose bib", BOTH],
    ["faucet left on", ["leak"]],
    ["leak as the clock is put back", BOTH],
    ["leak across the late file", BOTH],
    ["leak while the collector is down", BOTH],
    ["water softener stuck", ["leak"]],
    ["leak across a meter exchange", BOTH],
    ["mended in vain", BOTH],
    ["leak above normal flow", BOTH],
    ["burst under the sink", ["high-usage"]],
    ["pool filling", BOTH],
    ["irrigation valve stuck open", ["high-usage"]],
    ["hose left in the yard", ["leak"]],
    ["burst while a toilet leaks", BOTH],
    ["slow drip", BOTH],
    ["cooler", BOTH],
    ["vacation", BOTH],
    ["misread", BOTH],
  ];
  const list: Resident[] = wanted.map(([name, kinds]) => ({
    home: homeOf.get(name)!,
    kinds,
    confirms: true,
  }));
  list.push({ home: ordinary[0]!, kinds: BOTH, confirms: true });
  list.push({ home: homeOf.get("leak without an answer")!, kinds: ["leak"], confirms: false });
  return list;
}
