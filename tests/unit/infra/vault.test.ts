import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Vault } from "../../../infra/crypto/vault.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-vault-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("makes a key that the owner alone may read, and the same one for two that start at once", async () => {
  const file = join(folder, "keys", "keys.json");
  const [one, other] = await Promise.all([Vault.open(file), Vault.open(file)]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const sealed = one.seal("oakvale", "contacts.email", "ana@example.org");
  expect(other.unseal("oakvale", "contacts.email", sealed).toString()).toBe("ana@example.org");
});

it("opens a value only with the utility and the place of its sealing, unchanged", async () => {
  const vault = await Vault.open(join(folder, "k.json"));
  const sealed = vault.seal("oakvale", "contacts.email", "ana@example.org");
  expect(sealed.includes("ana@example.org")).toBe(false);
  expect(() => vault.unseal("elmford", "contacts.email", sealed)).toThrow(/does not open/);
  expect(() => vault.unseal("oakvale", "customers.email", sealed)).toThrow(/does not open/);
  const changed = Buffer.from(sealed);
  changed[20]! ^= 1;
  expect(() => vault.unseal("oakvale", "contacts.email", changed)).toThrow(/does not open/);
});

it("hashes equal values alike within a utility and kind, and differently elsewhere", async () => {
  const vault = await Vault.open(join(folder, "k.json"));
  const hash = (utility: string, kind: string) => vault.hash(utility, kind, "1001").toString("hex");
  expect(hash("oakvale", "account")).toBe(hash("oakvale", "account"));
  expect(hash("oakvale", "account")).not.toBe(hash("elmford", "account"));
  expect(hash("oakvale", "account")).not.toBe(hash("oakvale", "meter"));
});

it("says what is wrong with a key file that holds no key, without printing it", async () => {
  const file = join(folder, "broken.json");
  writeFileSync(file, JSON.stringify({ master: "secret-but-short" }));
  await expect(Vault.open(file)).rejects.toThrow(/must be 64 hex characters/);
  await expect(Vault.open(file)).rejects.not.toThrow(/secret-but-short/);
  expect(readFileSync(file, "utf8")).toContain("secret-but-short");
});

it("seals with another nonce each time, over many draws of random bytes", async () => {
  const vault = await Vault.open(join(folder, "k.json"));
  const nonces = Array.from({ length: 2_000 }, () =>
    vault.seal("oakvale", "contacts.email", "same").subarray(1, 13).toString("hex"),
  );
  expect(new Set(nonces).size).toBe(nonces.length);
});
