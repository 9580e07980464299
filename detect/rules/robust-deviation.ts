import { medianAbsoluteDeviation } from "simple-statistics";

/** Makes the MAD a standard deviation for normal data. */
const MAD_TO_SIGMA = 1.4826;

/** Standard deviation of the values, not empty, by their MAD: it takes no notice of a few that lie apart. */
export function robustDeviation(values: readonly number[]): number {
  return MAD_TO_SIGMA * medianAbsoluteDeviation([...values]);
}
