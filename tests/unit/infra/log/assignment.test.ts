import fc from "fast-check";
import { assignPartitions } from "../../../../infra/log/assignment.js";

const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 });

it("gives every partition to one member, in shares that differ by one at most", () => {
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 64 }), (names, partitions) => {
      const shares = [...assignPartitions(names, partitions).values()];
      expect(shares.flat().sort((a, b) => a - b)).toEqual(
        Array.from({ length: partitions }, (_, index) => index),
      );
      const sizes = shares.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

it("is the same for every member, whatever the order in which it learns of them", () => {
  fc.assert(
    fc.property(members, fc.nat(30), (names, turn) => {
      const turned = [...names.slice(turn % names.length), ...names.slice(0, turn % names.length)];
      expect(assignPartitions(turned, 12)).toEqual(assignPartitions(names, 12));
    }),
  );
});

it("gives a member that comes back what it had", () => {
  const before = assignPartitions(["a", "b", "c"], 12);
  assignPartitions(["a", "c"], 12);
  expect(assignPartitions(["c", "a", "b"], 12)).toEqual(before);
});

it("moves few partitions when a member comes or goes", () => {
  const owners = (names: string[]) =>
    new Map(
      [...assignPartitions(names, 48)].flatMap(([name, mine]) => mine.map((partition) => [partition, name])),
    );
  const four = owners(["a", "b", "c", "d"]);
  const five = owners(["a", "b", "c", "d", "e"]);
  const moved = [...four].filter(([partition, name]) => five.get(partition) !== name).length;
  // Ten must move to the fifth member; the cap may push a few others.
  expect(moved).toBeLessThan(24);
});

it("gives nothing where there is nobody", () => {
  expect(assignPartitions([], 12)).toEqual(new Map());
});
