import fc from "fast-check";
import { partition, passes, type Group, type PublishPolicy } from "../../../publish/partition.js";

const CPUC: PublishPolicy = { customers: 15, residential: 100, maxSharePercent: 15 };
/** Customers named by a letter and a number, each with so many millilitres. */
const group = (name: string, customers: number, ml: (n: number) => number = () => 1000): Group => ({
  classes: [name],
  use: new Map(Array.from({ length: customers }, (_, n) => [`${name}${n}`, ml(n)])),
});
const sizes = (groups: readonly Group[] | undefined) =>
  groups?.map(({ classes, use }) => [classes.join("+"), use.size]);

it("publishes what is large enough, homes from 100 on and others from 15 on", () => {
  expect(sizes(partition([group("commercial", 15), group("single-family", 100)], CPUC))).toEqual([
    ["commercial", 15],
    ["single-family", 100],
  ]);
  expect(passes(group("commercial", 14), CPUC)).toBe(false);
  expect(passes(group("single-family", 99), CPUC)).toBe(false);
  expect(passes(group("always-on", 15), CPUC)).toBe(false);
  expect(passes(group("", 15), CPUC)).toBe(false);
});

it("holds back where one customer used more than the share, and where nobody used anything", () => {
  const large = (ml: number) => group("commercial", 21, (n) => (n === 0 ? ml : 850));
  expect(passes(large(3_000), CPUC)).toBe(true);
  expect(passes(large(3_001), CPUC)).toBe(false);
  expect(
    passes(
      group("commercial", 50, () => 0),
      CPUC,
    ),
  ).toBe(false);
});

it("joins what is too small with the smallest that is not, and says nothing where all are too few", () => {
  const groups = [
    group("single-family", 300),
    group("multi-family", 120),
    group("commercial", 40),
    group("irrigation", 3),
  ];
  expect(sizes(partition(groups, CPUC))).toEqual([
    ["commercial+irrigation", 43],
    ["multi-family", 120],
    ["single-family", 300],
  ]);
  expect(partition([group("single-family", 60), group("commercial", 20)], CPUC)).toBeUndefined();
  expect(partition([], CPUC)).toBeUndefined();
});

it("counts a customer of two classes once", () => {
  const shared = new Map([...group("x", 14).use]);
  const groups = [
    { classes: ["commercial"], use: shared },
    { classes: ["irrigation"], use: shared },
  ];
  expect(partition(groups, CPUC)).toBeUndefined();
});

it("says nothing of fewer than the policy asks for, whatever is added up or taken off", () => {
  const policy: PublishPolicy = { customers: 3, residential: 5, maxSharePercent: 50 };
  const names = ["", "always-on", "commercial", "irrigation", "multi-family", "single-family"];
  const customers = fc.dictionary(fc.integer({ min: 0, max: 30 }).map(String), fc.nat(1000), { maxKeys: 12 });
  let partitions = 0;
  fc.assert(
    fc.property(fc.array(customers, { minLength: 6, maxLength: 6 }), (each) => {
      const groups = each.map((use, i) => ({ classes: [names[i]!], use: new Map(Object.entries(use)) }));
      const found = partition(groups, policy);
      const all = {
        classes: names,
        use: groups.reduce((sum, { use }) => {
          for (const [name, ml] of use) sum.set(name, (sum.get(name) ?? 0) + ml);
          return sum;
        }, new Map<string, number>()),
      };
      if (found === undefined) return !passes(all, policy) || all.use.size === 0;
      partitions++;
      const said = found.flatMap(({ classes }) => classes).sort();
      expect(said).toEqual(names.filter((_, i) => groups[i]!.use.size > 0));
      // Figures of a partition, added and taken off in any way, are those of whole groups.
      for (let subset = 1; subset < 2 ** found.length; subset++) {
        const union = found.filter((_, i) => (subset & (1 << i)) !== 0);
        const classes = union.flatMap((one) => one.classes);
        const use = new Map<string, number>();
        for (const [i, name] of names.entries())
          if (classes.includes(name))
            for (const [customer, ml] of groups[i]!.use) use.set(customer, (use.get(customer) ?? 0) + ml);
        expect(use.size).toBeGreaterThanOrEqual(policy.customers);
        const volume = [...use.values()].reduce((sum, ml) => sum + ml, 0);
        expect(Math.max(...use.values()) * 100).toBeLessThanOrEqual(volume * policy.maxSharePercent);
      }
      return true;
    }),
    { numRuns: 2_000 },
  );
  expect(partitions).toBeGreaterThan(200);
});
