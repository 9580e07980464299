import { correction } from "./correction.js";
import type { Frame, Told } from "./frame.js";
import { freezeAlert } from "./freeze-alert.js";
import { highUsageAlert } from "./high-usage-alert.js";
import { leakAlert } from "./leak-alert.js";
import { leakReminder } from "./leak-reminder.js";
import { leakStopped } from "./leak-stopped.js";
import type { Letter } from "./letter.js";
import type { AlertKind } from "../decide.js";

/** The letter about an anomaly: of it, of its going on or its end, or to take back what was told. */
export function letterAbout(frame: Frame, about: AlertKind, told: Told): Letter {
  switch (about) {
    case "alert":
      if (told.frost !== undefined) return freezeAlert(frame, told, told.frost);
      return told.kind === "high-usage" ? highUsageAlert(frame, told) : leakAlert(frame, told);
    case "stopped":
      return leakStopped(frame, told);
    case "correction":
      return correction(frame, told);
    case "reminder":
    case "last-reminder":
      return leakReminder(frame, told);
  }
}
