import { Signal } from "../../../../infra/log/signal.js";

it("loses no raise between looking and waiting", async () => {
  const signal = new Signal();
  const seen = signal.count;
  signal.raise();
  await signal.after(seen);
  expect(signal.count).toBe(1);
});

it("wakes all who wait, once", async () => {
  const signal = new Signal();
  const woken: string[] = [];
  const waiting = ["a", "b"].map((name) => signal.after(signal.count).then(() => woken.push(name)));
  expect(woken).toEqual([]);
  signal.raise();
  await Promise.all(waiting);
  expect(woken).toEqual(["a", "b"]);
});

it("stops waiting after the time given", async () => {
  const signal = new Signal();
  await signal.after(signal.count, 5);
  expect(signal.count).toBe(0);
});
