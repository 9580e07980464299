import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { closest } from "./suggest.js";

/** What a YAML text holds, or all that is wrong with it: one problem a line, with its line and path in the file. */
interface ReadYaml<T> {
  readonly data: T | undefined;
  readonly problems: readonly string[];
  /** It is no YAML. */
  readonly broken: boolean;
}

/**
 * Reads a YAML text by a schema.
 * @param file its name, as problems tell it
 * @param before changes what was read before it is judged
 */
export function readYaml<T extends z.ZodType>(
  text: string,
  file: string,
  schema: T,
  before: (value: unknown) => unknown = (value) => value,
): ReadYaml<z.infer<T>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message }) => `${file}: ${message.split("\n")[0]}`);
    return { data: undefined, problems, broken: true };
  }
  const { data, error } = schema.safeParse(before(document.toJS()));
  const problems = (error?.issues ?? []).flatMap((issue) => describe(issue, file, document, lines, schema));
  return { data, problems, broken: false };
}

function describe(
  issue: z.core.$ZodIssue,
  file: string,
  document: Document,
  lines: LineCounter,
  schema: z.ZodType,
): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const near = closest(key, knownKeys(schema, issue.path));
      return `${place(file, path, document, lines)}: this key is not known.${near === undefined ? " Remove it." : ` Did you mean "${near}"?`}`;
    });
  }
  const received = document.getIn(issue.path as (string | number)[]);
  const shown =
    received === undefined || typeof received === "object" ? "" : `, received ${JSON.stringify(received)}`;
  const message = issue.message
    .replace(/^Invalid (input|option): /, "")
    .replace(/, received undefined$/, "")
    .replaceAll('"|"', '", "');
  const missing = received === undefined && OF_A_VALUE.has(issue.code) && !message.startsWith("missing");
  return [`${place(file, issue.path, document, lines)}: ${missing ? "missing; " : ""}${message}${shown}.`];
}

/** Codes of issues that say what a value is to be: of none they say that it is missing. */
const OF_A_VALUE: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "invalid_union"]);

function place(file: string, path: readonly PropertyKey[], document: Document, lines: LineCounter): string {
  const name = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  for (let depth = path.length; depth >= 0; depth--) {
    const node =
      depth === 0 ? document.contents : document.getIn(path.slice(0, depth) as (string | number)[], true);
    const range = (node as { range?: [number, number, number] } | null | undefined)?.range;
    if (range) {
      // A key of a map stands before its value.
      const parent =
        depth > 0 ? document.getIn(path.slice(0, depth - 1) as (string | number)[], true) : undefined;
      const pair = isMap(parent)
        ? parent.items.find(({ key }) => String(key) === String(path[depth - 1]))
        : undefined;
      const at = (pair?.key as { range?: [number, number, number] } | undefined)?.range?.[0] ?? range[0];
      return `${file}:${lines.linePos(at).line} ${name || "(whole file)"}`;
    }
  }
  return `${file} ${name}`;
}

/** Keys that the schema knows at a path, as far as it is made of objects and arrays. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  const unwrap = () => {
    for (;;) {
      const { def } = at as { def?: { innerType?: unknown; in?: unknown; element?: unknown } };
      const inner = def?.innerType ?? def?.in;
      if (inner === undefined) return;
      at = inner;
    }
  };
  for (const part of path) {
    unwrap();
    at =
      typeof part === "number"
        ? (at as { element?: unknown }).element
        : (at as { shape?: Record<string, unknown> }).shape?.[String(part)];
    if (at === undefined) return [];
  }
  unwrap();
  return Object.keys((at as { shape?: object }).shape ?? {});
}
