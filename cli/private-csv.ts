import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "./exit.js";

/**
 * A new file that its owner alone can read, for what letters are printed from. It is gone again where `work` fails.
 * @param command that asks for it, as errors name it
 * @throws UsageError where the file is there already or can't be made
 */
export async function withPrivateCsv<T>(
  command: string,
  path: string,
  work: (write: (header: readonly string[], rows: readonly (readonly string[])[]) => void) => Promise<T>,
): Promise<T> {
  const file = openNew(command, path);
  try {
    return await work((header, rows) => {
      writeFileSync(file, [header, ...rows].map((row) => row.map(csvField).join(",") + "\r\n").join(""));
      fsyncSync(file);
    });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function openNew(command: string, path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "EEXIST"
        ? `${command}: ${path} is there already; give a new name.`
        : `${command}: ${path}: ${code}`,
    );
  }
}

/** RFC 4180; what a spreadsheet would take for a formula gets a quote before it. */
export function csvField(text: string): string {
  const plain = /^[=+\-@\t\r\0]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
