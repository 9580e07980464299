import type { Vault } from "../infra/crypto/vault.js";
import type { SteppedClock } from "../infra/clock.js";
import type { Database } from "../infra/postgres/database.js";
import { reasonInWords, whyOfContact } from "../notify/index.js";
import type { UtilityConfig } from "../schemas/config.js";
import type { Town } from "./town.js";
import type { TwilioFake } from "./twilio.js";

/** Three of the residents also have alerts by SMS, and answer the first one in their own way. */
const ANSWERS: readonly { readonly resident: number; readonly answer: string }[] = [
  { resident: 0, answer: "1" },
  { resident: 3, answer: "please stop" },
  { resident: 4, answer: "Who is this?" },
];

/** One text, either way. `at` in UTC seconds. */
export interface TextLine {
  readonly home: number;
  readonly at: number;
  readonly by: "utility" | "resident";
  readonly body: string;
}

export interface Texting {
  /** What was said, home by home, oldest first. */
  readonly lines: readonly TextLine[];
  /** Why the one who stopped was not told any more, in words. */
  readonly why: readonly string[];
  /** Each was asked, said yes, and was told; nothing came after the answer to a stop. */
  readonly equal: boolean;
}

/** Residents with a phone, and the provider that brings their texts: a fake, for real ones cost money. */
export class Phones {
  readonly #town: Town;
  readonly #fake: TwilioFake;
  readonly #clock: SteppedClock;
  readonly #hook: string;
  /** What residents wrote, and how many texts had gone out before. */
  readonly #written: (TextLine & { readonly after: number })[] = [];

  /** @param hook where the provider brings what residents write */
  constructor(town: Town, fake: TwilioFake, clock: SteppedClock, hook: string) {
    this.#town = town;
    this.#fake = fake;
    this.#clock = clock;
    this.#hook = hook;
  }

  /** The number of a home, where its resident wants texts. */
  numberOf(home: number): string | undefined {
    const index = ANSWERS.findIndex(({ resident }) => this.#town.residents[resident]!.home === home);
    return index < 0 ? undefined : `+1707555010${index}`;
  }

  /** @throws Error where the text is not taken */
  async write(home: number, body: string): Promise<void> {
    const after = this.#fake.taken.length;
    this.#written.push({ home, at: this.#clock.now() / 1000, by: "resident", body, after });
    const status = await this.#fake.write(this.#hook, this.numberOf(home)!, body);
    if (status !== 200) throw new Error(`A text of home ${home} was answered with ${status}, expected 200.`);
  }

  /** The carrier tells what arrived; who got the first alert answers it. Whether anybody did. */
  async answer(): Promise<boolean> {
    for (const text of this.#fake.taken) {
      if (text.status === "queued") await this.#fake.report(text.sid, "delivered");
    }
    let wrote = false;
    for (const { resident, answer } of ANSWERS) {
      const { home } = this.#town.residents[resident]!;
      const alerted = this.#fake.to(this.numberOf(home)!).some((body) => body.includes("Possible leak"));
      const answered = this.#written.some((line) => line.home === home && line.body === answer);
      if (!alerted || answered) continue;
      await this.write(home, answer);
      wrote = true;
    }
    return wrote;
  }

  async told(
    stores: { readonly database: Database; readonly vault: Vault },
    utility: UtilityConfig,
  ): Promise<Texting> {
    const said = this.#fake.taken.map(({ at, to, body }, index) => ({
      to,
      line: { at: at.getTime() / 1000, by: "utility" as const, body },
      order: index,
    }));
    const lines = ANSWERS.flatMap(({ resident }) => {
      const { home } = this.#town.residents[resident]!;
      const got = said
        .filter(({ to }) => to === this.numberOf(home))
        .map(({ line, order }) => ({ line: { home, ...line }, order }));
      const wrote = this.#written
        .filter((line) => line.home === home)
        .map(({ after, ...line }) => ({ line, order: after - 0.5 }));
      return [...got, ...wrote]
        .sort((one, other) => one.order - other.order)
        .map(({ line }): TextLine => line);
    });
    const stopped = this.#town.residents[ANSWERS[1]!.resident]!.home;
    const story = await whyOfContact(stores, utility, this.numberOf(stopped)!);
    const why = (story ?? [])
      .filter(({ anomaly, outcome }) => anomaly !== null && outcome !== "delivered")
      .map(({ what, outcome, reason }) => `${what}: ${outcome}, ${reasonInWords(reason ?? "")}`);
    return { lines, why: [...new Set(why)], equal: this.#isRight(lines, stopped) };
  }

  #isRight(lines: readonly TextLine[], stopped: number): boolean {
    const each = ANSWERS.every(({ resident, answer }) => {
      const { home } = this.#town.residents[resident]!;
      const own = lines.filter((line) => line.home === home);
      return (
        own[0]?.body.includes("Reply Y1") === true &&
        own.some(({ by, body }) => by === "utility" && body.includes("Possible leak")) &&
        own.some(({ by, body }) => by === "resident" && body === answer)
      );
    });
    return each && lines.findLast(({ home }) => home === stopped)?.body.includes("no more texts") === true;
  }
}
