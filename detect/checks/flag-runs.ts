import type { CheckCode } from "../../schemas/checks.js";
import { Flag } from "../../schemas/flags.js";
import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

/** Checks that find what intervals are flagged with; those with a limit, once the run lasts so many hours. */
const FLAGS: readonly (readonly [code: CheckCode, flag: number])[] = [
  ["prolonged-estimation", Flag.estimated],
  ["over-capacity", Flag.overCapacity],
  ["negative", Flag.negative],
  ["rollover", Flag.rollover],
  ["exchange", Flag.exchange | Flag.deviceReset],
  ["device-leak", Flag.deviceLeak],
  ["device-burst", Flag.deviceBurst],
  ["device-backflow", Flag.deviceBackflow],
  ["device-fault", Flag.deviceFault],
  ["device-dry", Flag.deviceDry],
  ["device-clock", Flag.deviceClock],
  ["test-mode", Flag.testMode],
  ["unit-mismatch", Flag.otherUnit],
  ["backflow-minor", Flag.backflowMinor],
  ["backflow-major", Flag.backflowMajor],
];
const ANY = FLAGS.reduce((all, [, flag]) => all | flag, 0);

/** What a device may report without a value beside it. */
export const REPORTED =
  Flag.deviceLeak |
  Flag.deviceBurst |
  Flag.deviceBackflow |
  Flag.deviceFault |
  Flag.deviceDry |
  Flag.deviceClock;

/** The reports of a read without a value, each a finding of no length: an alarm of CMEP's MLA01 is one. */
export function reportsAt(at: number, flags: number, limits: CheckContext["limits"]): Finding[] {
  return FLAGS.filter(([code, flag]) => (flags & flag & REPORTED) !== 0 && limits[code] !== undefined).map(
    ([code]) => ({ code, start: at, end: at, open: false, value: 0, limit: 0 }),
  );
}

/** A run of flagged intervals that goes on. */
interface Run {
  /** Place in `FLAGS`: it is saved, so a place is never given to another. */
  readonly place: number;
  readonly start: number;
  end: number;
}

/** Runs of intervals with the same flag, one after the other in time; the first interval without it ends a run. */
export class FlagRuns {
  #runs: Run[] = [];

  /** Whether an interval with these flags changes anything. */
  takesNoteOf(flags: number): boolean {
    return (flags & ANY) !== 0 || this.#runs.length > 0;
  }

  push(start: number, end: number, flags: number, context: CheckContext, ended: Finding[]): void {
    if (!this.takesNoteOf(flags)) return;
    if (this.#runs.length > 0) {
      // Another register of the meter, read at the same time, ends no run of this one.
      const goesOn = (run: Run) => (flags & FLAGS[run.place]![1]) !== 0 || start < run.end;
      for (const run of this.#runs) if (!goesOn(run)) this.#report(run, context, ended);
      this.#runs = this.#runs.filter(goesOn);
    }
    for (const [place, [, flag]] of FLAGS.entries()) {
      if ((flags & flag) === 0) continue;
      const run = this.#runs.find((one) => one.place === place);
      if (run === undefined) this.#runs.push({ place, start, end });
      else if (end > run.end) run.end = end;
    }
  }

  open(context: CheckContext, into: Finding[]): void {
    for (const run of this.#runs) this.#report(run, context, into, true);
  }

  writeTo(to: Writer): void {
    to.number(this.#runs.length);
    for (const { place, start, end } of this.#runs) to.number(place).number(start).number(end);
  }

  readFrom(from: Reader): void {
    const count = from.number();
    for (let i = 0; i < count; i++)
      this.#runs.push({ place: from.number(), start: from.number(), end: from.number() });
  }

  #report({ place, start, end }: Run, { limits }: CheckContext, into: Finding[], open = false): void {
    const code = FLAGS[place]![0];
    const limit = limits[code];
    const hours = (end - start) / 3600;
    if (limit === undefined || hours < limit) return;
    into.push({ code, start, end, open, value: hours, limit });
  }
}
