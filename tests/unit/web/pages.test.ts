import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SteppedClock } from "../../../infra/clock.js";
import { logoOf } from "../../../web/logo.js";
import { html, page } from "../../../web/page.js";
import { RateLimit } from "../../../web/rate-limit.js";

it("escapes every value of a page but HTML of its own", () => {
  const inner = html`<em>${"<&>\"'"}</em>`;
  const { text } = page({ language: "en", title: "<title>", body: html`${inner} ${[inner]}` });
  expect(text).toContain("<em>&lt;&amp;&gt;&quot;&#39;</em> <em>");
  expect(text).toContain("<title>&lt;title&gt;</title>");
});

describe("a page in the look of its utility", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-logo-"))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, bytes: Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const png = Buffer.from("89504e470d0a1a0a0000", "hex");

  it("has its colour and logo, and a policy for its own style and for images only with a logo", () => {
    const plain = page({ language: "en", title: "t", body: html`b` });
    const logo = logoOf(file("logo.png", png));
    const own = page({ language: "en", title: "t", body: html`b`, look: { colour: "#7a1f3d", logo } });
    expect(plain.policy).not.toContain("img-src");
    expect(own.policy).toContain("img-src data:;");
    expect(own.text).toContain(
      `<img class="logo" src="data:image/png;base64,${png.toString("base64")}" alt=""`,
    );
    expect(own.text).toContain("background:#7a1f3d");
    for (const { text, policy } of [plain, own]) {
      const style = /<style>([^]*?)<\/style>/.exec(text)![1]!;
      expect(policy).toContain(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    }
    expect(own.text).not.toContain("#0b5394");
  });

  it("says at once what is wrong with a logo", () => {
    const jpeg = Buffer.concat([Buffer.from("ffd8ff", "hex"), Buffer.alloc(100_000)]);
    expect(() => logoOf(file("large.jpg", jpeg))).toThrow(/large.jpg has 100003 bytes, and may have 100000/);
    expect(() => logoOf(file("logo.svg", Buffer.from("<svg/>")))).toThrow(/neither a PNG nor a JPEG/);
    expect(() => logoOf(join(folder, "none.png"))).toThrow(/none.png can't be read: ENOENT/);
    expect(logoOf(undefined)).toBeUndefined();
  });
});

it("counts uses of a key within the window and lets it start again after", () => {
  const clock = new SteppedClock(0);
  const limit = new RateLimit({ clock, most: 2, windowMs: 1000 });
  expect([limit.take("a"), limit.take("a"), limit.take("a"), limit.take("b")]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  clock.set(999);
  expect(limit.take("a")).toBe(false);
  clock.set(1001);
  expect([limit.take("a"), limit.take("b")]).toEqual([true, true]);
});
