import { readFileSync } from "node:fs";

/** Errors of `fetch` before the request left us. */
export const NOT_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "EHOSTUNREACH",
]);

/** The system's code of what `fetch` threw, else its class: never its words, which quote addresses. */
export function codeOf(error: unknown): string {
  const { name, cause } = error as Error & { cause?: { code?: unknown } };
  return systemCode(cause) ?? name;
}

/** The code by which the system names an error, such as ECONNRESET. */
export function systemCode(error: { readonly code?: unknown } | undefined): string | undefined {
  const code = error?.code;
  return typeof code === "string" && /^[A-Z_]{2,40}$/.test(code) ? code : undefined;
}

/**
 * A secret of a provider, from a variable or a file.
 * @throws Error where there is none
 */
export function secretOf(setting: string, variable: string, file: string | undefined): string {
  const given = process.env[variable];
  if (given !== undefined) return given;
  if (file === undefined) throw new Error(`${setting}: name its file, or set the variable ${variable}`);
  return readFileSync(file, "utf8").trim();
}
