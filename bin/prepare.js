/**
 * npm runs this after `npm ci` in a clone: it compiles, so that the command works at once. Without the compiler
 * (`npm ci --omit=dev`) it leaves the install alone; `dist` then has to come from elsewhere.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

let compiler;
try {
  compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
} catch {
  process.stderr.write("curbstop: no compiler installed, so nothing was built.\n");
}
if (compiler !== undefined) {
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
