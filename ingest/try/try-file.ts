import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ChecksConfig } from "../../schemas/checks.js";
import type { SourceConfig } from "../../schemas/config.js";
import { csvProfile } from "../../schemas/profile.js";
import type { Reject } from "../check/rejects.js";
import { max, mean, min } from "simple-statistics";
import { TimeZone } from "../../infra/time-zone.js";
import { coldSpells, type ColdSpell, type Temperature } from "../../schemas/temperatures.js";
import { readerOf } from "../formats/reader-of.js";
import { FileRejected, type RowCounts } from "../formats/format.js";
import { JoinedTexts } from "../formats/joined-texts.js";
import { fileText } from "../pickup/file-bytes.js";
import { readCrosswalk } from "../registry/crosswalk.js";
import { readTemperatures } from "../weather/temperatures.js";
import { ColumnWatch } from "./column-watch.js";
import type { TrialWarning } from "./warnings.js";
import { rejectsByReason, Trial, type TrialOptions, type TrialReject, type TrialReport } from "./trial.js";

export interface TryOptions extends TrialOptions {
  readonly path: string;
  readonly source: SourceConfig;
  /** The utility's switches. */
  readonly checks: ChecksConfig;
  /** UTC seconds. */
  readonly now: number;
}

export interface TriedFile extends TrialReport {
  /** Why the file would be rejected whole; what was counted before stands in the report. */
  readonly refused: string | null;
  /** Names of columns that the source does not speak of. */
  readonly unknownColumns: readonly string[];
}

const NO_TEXT = Buffer.alloc(0);
const NO_ROWS: RowCounts = { rows: 0, rejected: 0, valuesRejected: 0, leftOut: 0 };

/** Reads a file as its source says, into nothing: no store is touched. */
export async function tryFile({ path, source, checks, now, ...options }: TryOptions): Promise<TriedFile> {
  const { size } = await stat(path);
  const trial = new Trial(options);
  const warnings = new Map<string, TrialWarning>();
  let reader: JoinedTexts | undefined;
  let refused: string | null = null;
  try {
    if (size > source.maxFileBytes)
      throw new FileRejected("file", `The file has ${size} bytes, more than the source's maxFileBytes.`);
    const text = await fileText(path, size, source);
    reader = new JoinedTexts(text.members ?? [basename(path)], trial, (sink, fileName) =>
      readerOf(source, { fileName, timeZone: options.timeZone, checks, now }, sink),
    );
    for await (const chunks of text.texts()) {
      // Formats that are no CSV have no columns in their profile.
      const watch = source.profile?.columns.time === undefined ? undefined : new ColumnWatch(source.profile);
      reader.begin();
      for await (const chunk of chunks) {
        reader.push(chunk);
        watch?.push(chunk, false);
      }
      reader.end();
      watch?.push(NO_TEXT, true);
      for (const warning of watch?.warnings() ?? []) warnings.set(warning.text, warning);
    }
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    refused = error.message;
  }
  const report = trial.report(reader?.counts ?? NO_ROWS);
  return {
    ...report,
    warnings: [...warnings.values(), ...report.warnings],
    refused,
    unknownColumns: reader?.unknownColumns ?? [],
  };
}

export interface TriedCrosswalk {
  readonly rows: number;
  readonly rejected: number;
  readonly meters: number;
  readonly accounts: number;
  readonly premises: number;
  readonly rejects: readonly TrialReject[];
  readonly refused: string | null;
}

export interface TriedTemperatures {
  readonly rows: number;
  readonly leftOut: number;
  readonly rejected: number;
  /** UTC seconds, and degrees Celsius; `null` without a temperature. */
  readonly first: number | null;
  readonly last: number | null;
  readonly lowest: number | null;
  readonly highest: number | null;
  /** Times at or below a limit, UTC seconds. */
  readonly cold: readonly ColdSpell[];
  /** The hour of the local day that is warmest on average, 0 to 23; `null` with less than five days. At night: the zone is wrong. */
  readonly warmestHour: number | null;
  readonly unknownColumns: readonly string[];
  readonly rejects: readonly TrialReject[];
  readonly refused: string | null;
}

/** The same for temperatures. @param below degrees Celsius: from here down it is cold */
export async function tryTemperatures({
  path,
  source,
  timeZone,
  now,
  below,
}: Pick<TryOptions, "path" | "source" | "timeZone" | "now"> & {
  readonly below: number;
}): Promise<TriedTemperatures> {
  const { size } = await stat(path);
  const byTime = new Map<number, number>();
  const rejects: Reject[] = [];
  let [rows, leftOut] = [0, 0];
  let unknownColumns: readonly string[] = [];
  let refused: string | null = null;
  try {
    const text = await fileText(path, size, source);
    const portions = readTemperatures(text.texts(true), timeZone, source.temperatures!, now);
    for (;;) {
      const { done, value } = await portions.next();
      if (done === true) {
        unknownColumns = value;
        break;
      }
      for (const { time, value: hundredths } of value.temperatures) byTime.set(time, hundredths);
      rows += value.temperatures.length + value.without;
      leftOut += value.leftOut;
      rejects.push(...value.rejects);
    }
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    refused = error.message;
  }
  const inOrder = [...byTime].map(([time, value]) => ({ time, value })).sort((a, b) => a.time - b.time);
  const values = inOrder.map(({ value }) => value / 100);
  return {
    rows,
    leftOut,
    rejected: rejects.length,
    first: inOrder[0]?.time ?? null,
    last: inOrder.at(-1)?.time ?? null,
    lowest: values.length === 0 ? null : min(values),
    highest: values.length === 0 ? null : max(values),
    cold: coldSpells(inOrder, below),
    warmestHour: warmestHour(inOrder, new TimeZone(timeZone)),
    unknownColumns,
    rejects: rejectsByReason(rejects),
    refused,
  };
}

const LEAST_DAYS = 5;

function warmestHour(inOrder: readonly Temperature[], zone: TimeZone): number | null {
  const byHour = Array.from({ length: 24 }, (): number[] => []);
  for (const { time, value } of inOrder) byHour[zone.hourOf(time)]!.push(value);
  if (byHour.some((values) => values.length < LEAST_DAYS)) return null;
  const means = byHour.map((values) => mean(values));
  return means.indexOf(max(means));
}

/** The same for a crosswalk. Nothing of a customer is in the answer. */
export async function tryCrosswalk({
  path,
  source,
  timeZone,
}: Pick<TryOptions, "path" | "source" | "timeZone">): Promise<TriedCrosswalk> {
  const { size } = await stat(path);
  const profile = source.profile ?? csvProfile.parse({});
  const none = { rows: 0, rejected: 0, meters: 0, accounts: 0, premises: 0, rejects: [] };
  try {
    const text = await fileText(path, size, source);
    const rejects: Reject[] = [];
    const [meters, accounts, premises] = [new Set<string>(), new Set<string>(), new Set<string>()];
    let rows = 0;
    for await (const portion of readCrosswalk(text.texts(true), timeZone, profile, source.crosswalk)) {
      for (const { meterId, accountId, locationId } of portion.rows) {
        meters.add(meterId);
        accounts.add(accountId);
        premises.add(locationId);
      }
      rows += portion.rows.length;
      rejects.push(...portion.rejects);
    }
    return {
      rows,
      rejected: rejects.length,
      meters: meters.size,
      accounts: accounts.size,
      premises: premises.size,
      rejects: rejectsByReason(rejects),
      refused: null,
    };
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    return { ...none, refused: error.message };
  }
}
