import { createHash } from "node:crypto";

/**
 * Which member owns which partition: rendezvous hashing with a cap. Shares differ by one at most, every member computes
 * the same, and a member that comes back gets what it had.
 */
export function assignPartitions(members: readonly string[], partitions: number): Map<string, number[]> {
  const shares = new Map<string, number[]>([...members].sort().map((member) => [member, []]));
  if (shares.size === 0) return shares;
  const least = Math.floor(partitions / shares.size);
  let larger = partitions % shares.size;
  for (let partition = 0; partition < partitions; partition++) {
    const [, share] = [...shares]
      .filter(([, { length }]) => length < least || (length === least && larger > 0))
      .map(([member, share]) => [weight(member, partition), share] as const)
      .reduce((best, other) => (other[0] > best[0] ? other : best));
    if (share.length === least) larger--;
    share.push(partition);
  }
  return shares;
}

function weight(member: string, partition: number): string {
  return createHash("md5").update(`${member}/${partition}`).digest("hex");
}
