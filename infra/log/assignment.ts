import { createHash } from "node:crypto";

/**
 * Which member owns which partition: rendezvous hashing with a cap, so shares are even, every member computes the same,
 * and a member that comes back gets what it had.
 */
export function assignPartitions(members: readonly string[], partitions: number): Map<string, number[]> {
  const shares = new Map<string, number[]>([...members].sort().map((member) => [member, []]));
  if (members.length === 0) return shares;
  const cap = Math.ceil(partitions / members.length);
  for (let partition = 0; partition < partitions; partition++) {
    const ranked = [...shares.keys()]
      .map((member) => ({ member, weight: createHash("md5").update(`${member}/${partition}`).digest("hex") }))
      .sort((a, b) => (a.weight < b.weight ? 1 : -1));
    const winner = ranked.find(({ member }) => shares.get(member)!.length < cap)!;
    shares.get(winner.member)!.push(partition);
  }
  return shares;
}
