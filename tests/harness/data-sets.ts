import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../infra/package-root.js";

/** Folder of the public sets of meter data, beside the project. */
export const DATA_SETS = join(packageRoot(), "..", "shared", "data");

/** `it`, or `it.skip` said aloud where one of the files is absent. */
export function itWithData(title: string, files: readonly string[]): jest.It {
  if (files.every((file) => existsSync(join(DATA_SETS, file)))) return it;
  process.stderr.write(`SKIPPED: "${title}": ../shared/data is absent\n`);
  return it.skip;
}
