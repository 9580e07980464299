import type { TimeZone } from "../../infra/time-zone.js";

const DAY = 86_400;
const MOST_DAYS = 4_096;

/** Columns of a local day that are one interval: its beginning (UTC seconds), its length (0: the day has no such hour). */
export interface WideSlot {
  readonly start: number;
  readonly length: number;
  readonly parts: number;
}
export interface WideDay {
  readonly slots: readonly WideSlot[];
  /** Seconds of every slot, without a hole between them; 0 on the days on which the clock changes. */
  readonly even: number;
}

/** How the columns of a day lie in time. */
export interface WideLayout {
  /** 24, 48 or 96. */
  readonly intervals: number;
  /**
   * clock: a column is a time of the local clock. repeated: so it is, and behind the others come those of the hour that comes
   * twice in autumn. elapsed: they count the hours of the day, of which there may be 25.
   */
  readonly order: "clock" | "repeated" | "elapsed";
  /** Columns of the hour that comes twice are one interval: of usage, where nothing tells the two apart. */
  readonly merge: boolean;
  readonly zone: TimeZone | undefined;
}

/** The local days of files with a row a day; those that were asked for are remembered. */
export class WideDays {
  readonly #layout: WideLayout;
  readonly #days = new Map<number, WideDay>();

  constructor(layout: WideLayout) {
    this.#layout = layout;
  }

  /** @param localDay days from 1970-01-01 */
  of(localDay: number): WideDay {
    let day = this.#days.get(localDay);
    if (day === undefined) {
      if (this.#days.size >= MOST_DAYS) this.#days.clear();
      day = this.#lay(localDay);
      this.#days.set(localDay, day);
    }
    return day;
  }

  #lay(localDay: number): WideDay {
    const { intervals, order, merge, zone } = this.#layout;
    if (order === "elapsed") return elapsedDay(localDay, intervals, zone);
    if (order === "repeated") return repeatedDay(localDay, intervals, zone);
    return clockDay(localDay, intervals, zone, merge);
  }
}

/**
 * Places of a day's columns: those from `first` on, and behind them those of the repeated hour (-1: none), which may stand
 * among them.
 * @param elapsed the columns count the hours of the day, of which there may be 25
 */
export function intervalColumns(
  first: number,
  repeated: number,
  intervals: number,
  elapsed: boolean,
): number[] {
  const anHour = intervals / 24;
  const again = repeated < 0 ? [] : Array.from({ length: anHour }, (_, i) => repeated + i);
  const places: number[] = [];
  const count = intervals + (elapsed ? anHour : 0);
  for (let at = first; places.length < count; at++) if (!again.includes(at)) places.push(at);
  return [...places, ...again];
}

/**
 * Where the columns of a local day lie, between the instants at which the clock first shows their ends. The hour left
 * out in spring has no length. With `merge`, the columns of what comes twice in autumn are one interval.
 */
function clockDay(localDay: number, intervals: number, zone: TimeZone | undefined, merge: boolean): WideDay {
  const seconds = DAY / intervals;
  const edge = (i: number) => {
    const local = localDay * DAY + i * seconds;
    return zone === undefined ? local : zone.firstInstantFrom(local);
  };
  const comesTwice = (i: number) => {
    if (zone === undefined) return false;
    const local = localDay * DAY + i * seconds;
    return zone.instantsOf(local).length > 1 || zone.instantsOf(local + seconds - 1).length > 1;
  };
  const slots: WideSlot[] = [];
  for (let i = 0; i < intervals;) {
    let next = i + 1;
    if (merge && comesTwice(i)) while (next < intervals && comesTwice(next)) next++;
    slots.push({ start: edge(i), length: edge(next) - edge(i), parts: next - i });
    i = next;
  }
  const { start, length } = slots[0]!;
  const isEven = slots.every((slot, i) => slot.length === length && slot.start === start + i * length);
  return { slots, even: isEven ? length : 0 };
}

/** The day's columns where they count from its beginning; those behind its end have no length. */
function elapsedDay(localDay: number, intervals: number, zone: TimeZone | undefined): WideDay {
  const edge = (day: number) => (zone === undefined ? day * DAY : zone.firstInstantFrom(day * DAY));
  const [from, until] = [edge(localDay), edge(localDay + 1)];
  const seconds = DAY / intervals;
  const slots = Array.from({ length: (intervals * 25) / 24 }, (_, i): WideSlot => {
    const start = from + i * seconds;
    return { start, length: Math.max(0, Math.min(seconds, until - start)), parts: 1 };
  });
  return { slots, even: 0 };
}

/** The day's columns by the clock, and behind them those of the hour that comes twice, which most days do not have. */
function repeatedDay(localDay: number, intervals: number, zone: TimeZone | undefined): WideDay {
  const seconds = DAY / intervals;
  const { slots } = clockDay(localDay, intervals, zone, false);
  const again: WideSlot[] = [];
  const single = slots.map((slot, i): WideSlot => {
    const [first, second] = zone?.instantsOf(localDay * DAY + i * seconds) ?? [];
    if (first === undefined || second === undefined) return slot;
    again.push({ start: second, length: seconds, parts: 1 });
    return { start: first, length: seconds, parts: 1 };
  });
  const none: WideSlot = { start: slots[0]!.start, length: 0, parts: 1 };
  while (again.length < intervals / 24) again.push(none);
  return { slots: [...single, ...again], even: 0 };
}
