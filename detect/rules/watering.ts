import { WEEKDAYS, type DetectConfig } from "../../schemas/detect-config.js";
import type { RuleContext } from "./rule.js";
import { UnexpectedUse } from "./unexpected-use.js";

const DAY_MS = 86_400_000;

/**
 * Water through an irrigation meter out of the season, or on a weekday on which nobody may water: a valve that does not
 * close, a controller that lost its programme (after-hours filters of BEACON: DETECTION §1.1). It says nothing of other
 * meters, nor where a utility names no season and no days.
 */
export class Watering extends UnexpectedUse {
  readonly name = "watering";
  protected readonly expected = "usage-normal";

  protected isUnexpected({ class: meterClass, day, detect }: RuleContext): boolean {
    return meterClass === "irrigation" && isOutOfTurn(day, detect.watering);
  }

  protected minVolume({ watering }: DetectConfig): number {
    return watering.minVolume;
  }
}

/** @param day local day, days since 1970-01-01 */
function isOutOfTurn(day: number, { days, season }: DetectConfig["watering"]): boolean {
  const date = new Date(day * DAY_MS);
  if (days !== undefined && !days.includes(WEEKDAYS[date.getUTCDay()]!)) return true;
  if (season === undefined) return false;
  const { from, until } = season;
  const today = date.toISOString().slice(5, 10);
  return from <= until ? today < from || today > until : today < from && today > until;
}
