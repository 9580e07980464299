import { createInterface } from "node:readline/promises";
import { UsageError } from "../exit.js";
import { isTerminal } from "../terminal.js";

/**
 * What was given as an option, else what is typed on the terminal.
 * @param given `true` for an option that was given without its value
 * @throws UsageError where there is neither
 */
export async function answer(given: string | true | undefined, question: string): Promise<string> {
  if (typeof given === "string") return given;
  if (!isTerminal(process.stdout) || !process.stdin.isTTY) {
    throw new UsageError(`${question} is missing: give it as an option, or run on a terminal to be asked.`);
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await asking.question(`${question}: `)).trim();
  } finally {
    asking.close();
  }
}
