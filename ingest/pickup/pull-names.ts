import type { SourceConfig } from "../../schemas/config.js";
import type { PullConfig } from "../../schemas/pull.js";
import { namePattern } from "./name-pattern.js";

/** Endings that senders give to files that are still being written, as in a drop folder. */
const PARTIAL = /\.(part|partial|tmp|temp|filepart|uploading|crdownload)$/i;
/** What no name in a drop folder may hold: separators, control characters, line separators, bytes that were no UTF-8. */
const UNFIT = /[/\\\p{Cc}\u2028\u2029\uFFFD]/u;
const MOST_NAME_BYTES = 255;

/** What to do with a name on the server: fetch it, pass it over, or refuse it as one that no folder of ours may hold. */
export type NameVerdict = "fetch" | "pass" | "refuse";

/** Judges remote names by the patterns of the source and of its pull; hidden and partial names are passed over. */
export function nameJudge(
  source: Pick<SourceConfig, "files" | "complete">,
  pull: Pick<PullConfig, "files">,
): (name: string) => NameVerdict {
  const patterns = [source.files, pull.files].map(namePattern);
  return (name) => {
    if (name === "." || name === ".." || name === "") return "pass";
    if (UNFIT.test(name) || Buffer.byteLength(name) > MOST_NAME_BYTES) return "refuse";
    if (name.startsWith(".") || PARTIAL.test(name)) return "pass";
    if (source.complete.by === "marker" && name.endsWith(source.complete.suffix)) return "pass";
    return patterns.every((one) => one.test(name)) ? "fetch" : "pass";
  };
}
