/**
 * Runs one server for a parent process and ends it with the parent, even where the parent was killed: the parent holds
 * the other end of standard input, which the kernel closes with the parent.
 *
 * node guardian.mjs UID GID SIGNAL COMMAND [ARGUMENT...]   (UID and GID 0: as is; SIGNAL asks for a clean end)
 */
import { spawn } from "node:child_process";

const [uid, gid, signal, command, ...args] = process.argv.slice(2);
const identity = uid === "0" ? {} : { uid: Number(uid), gid: Number(gid) };
const server = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], ...identity });

let ending = false;
function end() {
  if (ending) return;
  ending = true;
  server.kill(signal);
  setTimeout(() => server.kill("SIGKILL"), 8_000).unref();
}

process.stdin.on("end", end).on("error", end).resume();
// The parent may be gone before it heard of us: a broken pipe must not end the guardian and leave the server.
process.stdout.on("error", end);
process.stderr.on("error", end);
process.on("SIGTERM", end).on("SIGINT", () => {});
server.on("error", (error) => {
  process.stderr.write(`${command}: ${error.message}\n`);
  process.exit(127);
});
server.on("exit", (code, by) => process.exit(ending ? 0 : (code ?? (by === null ? 1 : 128))));
process.stdout.write(`guardian-pid ${server.pid}\n`);
