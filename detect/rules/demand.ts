/** What a rule asks of a meter at the end of its warm-up, and of one that is known. */
export interface Demand {
  readonly young: number;
  readonly known: number;
}

/**
 * What is asked on some day: in between it goes evenly from one to the other.
 *
 * The longer a meter was watched, the less there is that it may do by itself and has not shown yet: the highest of n
 * past stretches says more the larger n is. So a young meter is asked for more before it is said to leak.
 *
 * @param days that were watched
 * @param from,until days at which it is young, and known
 */
export function demandOn({ young, known }: Demand, days: number, from: number, until: number): number {
  if (days >= until) return known;
  if (days <= from) return young;
  return young + ((known - young) * (days - from)) / (until - from);
}
