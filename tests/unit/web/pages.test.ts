import { SteppedClock } from "../../../infra/clock.js";
import { html, page } from "../../../web/page.js";
import { RateLimit } from "../../../web/rate-limit.js";

it("escapes every value of a page but HTML of its own", () => {
  const inner = html`<em>${"<&>\"'"}</em>`;
  const text = page({ language: "en", title: "<title>", body: html`${inner} ${[inner]}` });
  expect(text).toContain("<em>&lt;&amp;&gt;&quot;&#39;</em> <em>");
  expect(text).toContain("<title>&lt;title&gt;</title>");
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
