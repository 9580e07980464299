import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

/** A meter without flow for so long (seconds) is at rest again. */
const LONGEST_PAUSE = 86_400;

/** Flow through a meter that is not in service. */
export class InactiveUsage {
  #start = -1;
  #end = 0;
  #ml = 0;

  /** Whether an interval changes anything. */
  takesNote({ service }: CheckContext): boolean {
    return service.length > 0 || this.#start >= 0;
  }

  push(start: number, end: number, ml: number, context: CheckContext, ended: Finding[]): void {
    if (!this.takesNote(context)) return;
    const inService = isInService(context.service, start);
    if (this.#start >= 0 && (inService || end - this.#end > LONGEST_PAUSE)) {
      this.open(context, ended, false);
      this.#start = -1;
      this.#ml = 0;
    }
    if (inService || ml === 0) return;
    if (this.#start < 0) this.#start = start;
    this.#end = end;
    this.#ml += ml;
  }

  open({ limits }: CheckContext, into: Finding[], open = true): void {
    const limit = limits["usage-inactive"];
    const value = this.#ml / 1000;
    if (limit === undefined || this.#start < 0 || value < limit) return;
    into.push({ code: "usage-inactive", start: this.#start, end: this.#end, open, value, limit });
  }

  writeTo(to: Writer): void {
    to.number(this.#start).number(this.#end).number(this.#ml);
  }

  readFrom(from: Reader): void {
    this.#start = from.number();
    this.#end = from.number();
    this.#ml = from.number();
  }
}

function isInService(service: CheckContext["service"], at: number): boolean {
  for (let i = service.length - 1; i >= 0; i--) if (service[i]!.from <= at) return service[i]!.inService;
  return true;
}
