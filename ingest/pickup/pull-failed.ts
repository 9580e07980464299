/** Why a pull ended before its end. */
export type PullFailure =
  | "connection"
  | "time-out"
  | "host-key"
  | "login"
  | "secret"
  | "folder"
  | "server"
  | "changed"
  | "in-the-way"
  | "busy";

/** Those that pass by themselves within minutes: the same pull tries again. */
const PASSING: ReadonlySet<PullFailure> = new Set(["connection", "time-out", "changed"]);

/** A pull that could not be done. The message says what was found and how to mend it; it names no file. */
export class PullFailed extends Error {
  override readonly name = "PullFailed";
  readonly code: PullFailure;

  constructor(code: PullFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether trying again soon may help. */
  get passes(): boolean {
    return PASSING.has(this.code);
  }
}
