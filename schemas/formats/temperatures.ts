import { z } from "zod";
import { csvProfile } from "../profile.js";
import { column, rowFilters, stampZone, timeColumn } from "./common.js";

const { delimiter, quote, decimal, skipRows, header } = csvProfile.shape;

/** How a CSV file of air temperatures is to be understood: one place, a row for each time. */
export const temperatureOptions = z.strictObject({
  delimiter,
  quote,
  decimal,
  skipRows,
  header,
  columns: z
    .strictObject({
      time: timeColumn.describe(
        "Time of the measurement. A list of columns where it is spread over several (`[Year, Month, Day, Time]` as `YYYY MM DD HH:mm`).",
      ),
      temperature: column.describe("Temperature of the air."),
    })
    .describe("Which column holds what: by header name or position."),
  filters: rowFilters.describe(
    "Which rows are taken, where a file holds more than one place: `{ column: station, only: [KDSM] }`.",
  ),
  time: z
    .strictObject({
      format: z
        .string()
        .min(1)
        .default("YYYY-MM-DD HH:mm")
        .describe("Tokens as for `time.format` of a profile."),
      zone: stampZone
        .default("utility")
        .describe(
          'Zone of the stamps: an IANA zone, "utility" for the utility\'s, or UTC. A time of the hour that comes twice in autumn is the first of the two.',
        ),
    })
    .prefault({}),
  unit: z.enum(["C", "F"]).default("C").describe("Degrees Celsius or Fahrenheit."),
  noValue: z
    .array(z.string())
    .default(["", "M", "NA", "N/A", "NaN", "NULL", "-", "-999", "-999.0", "-9999"])
    .describe("Words of the column that mean: not measured. Case does not count."),
});
export type TemperatureOptions = z.infer<typeof temperatureOptions>;
