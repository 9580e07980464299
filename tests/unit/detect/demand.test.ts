import { demandOn } from "../../../detect/rules/demand.js";

describe("what is asked of a meter", () => {
  it("goes evenly from that of a young one to that of a known one", () => {
    const on = (day: number) => demandOn({ young: 10, known: 4 }, day, 20, 80);
    expect([0, 20, 30, 50, 80, 500].map(on)).toEqual([10, 10, 9, 7, 4, 4]);
  });
});
