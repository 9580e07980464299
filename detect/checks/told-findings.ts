import { sameFinding, type Finding, type StoredFinding } from "./finding.js";

/** Where it is written that a finding is new, is another than it was, or was none. */
export type TellFinding = (finding: Finding, change: "new" | "changed" | "gone") => void;

const NOTHING_AHEAD: readonly StoredFinding[] = [];

/** What was told of a meter's findings, so that only what changes is told. */
export class ToldFindings {
  /** `undefined`: what the meter's memory gives. */
  #told: readonly Finding[] | undefined;
  /**
   * Rows that were stored by a process that was killed, from messages that are still to come here: until then they are not
   * ours to judge, and a row of a lower version would not stand anyway.
   */
  ahead = NOTHING_AHEAD;

  /** A row as it is stored, of a meter whose memory is built anew from what is stored. */
  remember(row: StoredFinding): void {
    if (!row.gone) this.#told = [...(this.#told ?? []), row.finding];
    this.ahead = [...this.ahead, row];
  }

  /** Nothing is stored but what `remember` brings. */
  forget(): void {
    this.#told = [];
  }

  /** @param found what the memory gives before something changes it */
  begin(found: () => readonly Finding[]): void {
    this.#told ??= this.#asStored(found());
  }

  /**
   * Tells what changed since `begin`.
   * @param rowVersion of what is told: rows ahead of it stay as they are
   */
  tell(found: readonly Finding[], rowVersion: number, tell: TellFinding): void {
    const before = this.#told!;
    if (before.length === 0 && found.length === 0 && this.ahead.length === 0) return;
    this.ahead = this.ahead.filter(({ version }) => version > rowVersion);
    const undecided = this.#undecided();
    const now = this.#asStored(found);
    this.#told = now;
    const known = new Map(before.map((finding) => [identityOf(finding), finding]));
    for (const finding of now) {
      const identity = identityOf(finding);
      const was = known.get(identity);
      known.delete(identity);
      if (undecided.has(identity)) continue;
      if (was === undefined) tell(finding, "new");
      else if (!sameFinding(was, finding)) tell(finding, "changed");
    }
    for (const [identity, finding] of known) if (!undecided.has(identity)) tell(finding, "gone");
  }

  /** These ended in what can't change any more. */
  settle(ended: readonly Finding[]): void {
    if (ended.length === 0 || this.#told === undefined) return;
    const gone = new Set(ended.map(identityOf));
    this.#told = this.#told.filter((finding) => !gone.has(identityOf(finding)));
  }

  /** What is found, with those that are not decided yet as they are stored. */
  #asStored(found: readonly Finding[]): readonly Finding[] {
    if (this.ahead.length === 0) return found;
    const undecided = this.#undecided();
    return [
      ...found.filter((finding) => !undecided.has(identityOf(finding))),
      ...this.ahead.filter(({ gone }) => !gone).map(({ finding }) => finding),
    ];
  }

  #undecided(): ReadonlySet<string> {
    return new Set(this.ahead.map(({ finding }) => identityOf(finding)));
  }
}

function identityOf({ code, start }: Finding): string {
  return `${code} ${start}`;
}
