import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Absolute path of the package's own folder, the same from sources (tests) and from `dist/`.
 * SQL migrations and compiled child programs are found from here.
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("package.json of curbstop not found above " + import.meta.url);
    folder = parent;
  }
  return folder;
}
