/** From when on a group of customers may be published. */
export interface PublishPolicy {
  /** Customers that a group has at least. */
  readonly customers: number;
  /** The same of one with homes, or with customers of whom nobody said what they are. */
  readonly residential: number;
  /** Percent of the group's water that one customer may have at most. */
  readonly maxSharePercent: number;
}

/** Customers of some classes in one month. */
export interface Group {
  /** In order of the alphabet; "" for customers of whom nobody said what they are. */
  readonly classes: readonly string[];
  /** Millilitres that each used. */
  readonly use: ReadonlyMap<string, number>;
}

const NOT_RESIDENTIAL: ReadonlySet<string> = new Set(["commercial", "irrigation"]);

/** Millilitres that all of a group used. */
export function volumeOf({ use }: Group): number {
  let volume = 0;
  for (const ml of use.values()) volume += ml;
  return volume;
}

/** Whether the volume of a group says nothing of one of its customers. Nothing used by all says it of each. */
export function passes(group: Group, policy: PublishPolicy): boolean {
  const least = group.classes.every((name) => NOT_RESIDENTIAL.has(name))
    ? policy.customers
    : policy.residential;
  if (group.use.size < least) return false;
  let largest = 0;
  for (const ml of group.use.values()) if (ml > largest) largest = ml;
  const volume = volumeOf(group);
  return volume > 0 && largest * 100 <= volume * policy.maxSharePercent;
}

/**
 * Joins groups until each may be published (CPUC D.14-05-016: join what is too small with its neighbour). Nobody is left
 * out, so no total less other figures gives a group that was held back; what is published of a month is this partition alone.
 * @param groups by class
 * @returns `undefined` where even all of them together are too few
 */
export function partition(groups: readonly Group[], policy: PublishPolicy): Group[] | undefined {
  const filled = groups.filter(({ use }) => use.size > 0);
  const kept = filled.filter((group) => passes(group, policy));
  const small = filled.filter((group) => !passes(group, policy));
  if (small.length === 0) return kept.length === 0 ? undefined : inOrder(kept);
  // The fewest customers are joined first: the large groups stay as they are.
  kept.sort((a, b) => b.use.size - a.use.size);
  let joined = small.reduce(join);
  while (!passes(joined, policy)) {
    const next = kept.pop();
    if (next === undefined) return undefined;
    joined = join(joined, next);
  }
  return inOrder([...kept, joined]);
}

/** A customer of both counts once. */
function join(a: Group, b: Group): Group {
  const use = new Map(a.use);
  for (const [customer, ml] of b.use) use.set(customer, (use.get(customer) ?? 0) + ml);
  return { classes: [...a.classes, ...b.classes].sort(), use };
}

function inOrder(groups: readonly Group[]): Group[] {
  return [...groups].sort((a, b) => (a.classes.join() < b.classes.join() ? -1 : 1));
}
