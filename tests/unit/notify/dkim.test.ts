import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dkimKey, dkimRecord } from "../../../notify/channels/dkim.js";
import { composeMail } from "../../../notify/channels/email.js";
import { sampleLetters } from "../../../notify/templates/samples.js";
import { utilityConfig } from "../../../schemas/config.js";
import { verifyDkim, writeDkimKey } from "../../harness/dkim.js";
import { OAKVALE } from "../../harness/stores.js";

const folder = mkdtempSync(join(tmpdir(), "curbstop-dkim-"));
afterAll(() => rmSync(folder, { recursive: true }));

const signing = (keyFile: string, change: object = {}) => ({
  ...OAKVALE,
  languages: ["en", "es"],
  mail: { ...OAKVALE.mail, dkim: { selector: "alerts", keyFile, ...change } },
  sources: [{ id: "customers", folder: "drop", format: "crosswalk" }],
});
const utilityOf = (keyFile: string, change: object = {}) => utilityConfig.parse(signing(keyFile, change));

it("signs every letter so that another implementation finds it whole, the headers of lists included", async () => {
  const utility = utilityOf(writeDkimKey(folder));
  const samples = sampleLetters(utility, "https://alerts.oakvale.example", Date.UTC(2026, 5, 1) / 1000);
  const key = dkimKey(utility);
  for (const { letter } of samples) {
    const bytes = await composeMail({ id: "5e", utility, address: "r@mail.example", letter }, key);
    const [signature, ...more] = await verifyDkim(bytes, utility);
    expect(more).toEqual([]);
    expect(signature).toMatchObject({
      result: "pass",
      domain: "oakvale.example",
      selector: "alerts",
      aligned: "oakvale.example",
    });
    const lists =
      letter.unsubscribe === undefined ? [] : ["list-id", "list-unsubscribe", "list-unsubscribe-post"];
    expect(signature!.headers).toEqual(
      expect.arrayContaining(["from", "to", "subject", "date", "message-id", ...lists]),
    );
    // Nobody changes where the button leads, nor a word.
    const text = bytes.toString("latin1");
    for (const changed of [
      text.replace("/unsubscribe/an-example", "/unsubscribe/another"),
      text.replace("Oakvale", "Oakvile"),
    ])
      if (changed !== text)
        expect((await verifyDkim(changed, utility))[0]).not.toMatchObject({ result: "pass" });
  }
});

it("tells DNS the open half of the key alone, under the selector", () => {
  const { name, text } = dkimRecord(dkimKey(utilityOf(writeDkimKey(folder), { domain: "oakvale.example" }))!);
  expect(name).toBe("alerts._domainkey.oakvale.example");
  expect(text).toMatch(/^v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{380,400}={0,2}$/);
});

it("refuses what can't sign, and says how to make a key: a mail without its signature would say nothing", () => {
  const at = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ed25519 = generateKeyPairSync("ed25519")
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
  const refused = (keyFile: string) => () => dkimKey(utilityOf(keyFile));
  expect(refused(join(folder, "none.pem"))).toThrow(
    /utility oakvale: expected an RSA.*found ENOENT file.*openssl genrsa/,
  );
  expect(refused(at("text.pem", "hello"))).toThrow("found something else");
  expect(refused(at("ed.pem", ed25519))).toThrow("found a key of another kind (ed25519)");
  expect(refused(writeDkimKey(folder, 768))).toThrow("found 768 bits");
});

it("signs for the domain of the sender or one above it, and for no other", () => {
  const parse = (domain: string) => utilityConfig.safeParse(signing("key.pem", { domain })).success;
  expect(["oakvale.example", "example"].map(parse)).toEqual([true, false]);
  expect(["other.example", "vale.example", "mail.oakvale.example", "Oakvale.example"].map(parse)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
