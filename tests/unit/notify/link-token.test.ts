import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Vault } from "../../../infra/crypto/vault.js";
import { linkId, linkMatches, linkToken } from "../../../notify/consent/link-token.js";

let folder: string;
let vault: Vault;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "curbstop-token-"));
  vault = await Vault.open(join(folder, "keys.json"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("names its id and matches for its own utility and purpose alone", () => {
  const id = randomUUID();
  const token = linkToken(vault, "oakvale", "confirm", id);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(linkId(token)).toBe(id);
  expect(linkMatches(vault, "oakvale", "confirm", id, token)).toBe(true);
  expect(linkMatches(vault, "oakvale", "unsubscribe", id, token)).toBe(false);
  expect(linkMatches(vault, "elmwood", "confirm", id, token)).toBe(false);
});

it("matches in no other form: each changed character makes it another token", () => {
  const id = randomUUID();
  const token = linkToken(vault, "oakvale", "confirm", id);
  for (let at = 0; at < 42; at++) {
    const changed = token.slice(0, at) + (token[at] === "x" ? "y" : "x") + token.slice(at + 1);
    const named = linkId(changed)!;
    expect(linkMatches(vault, "oakvale", "confirm", named, changed)).toBe(false);
  }
});

it.each(["", "abc", "x".repeat(42), "x".repeat(44), `${"x".repeat(42)}/`])(
  "refuses the shape of %j",
  (token) => {
    expect(linkId(token)).toBeUndefined();
  },
);
