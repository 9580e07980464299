import { Watering } from "../../../detect/rules/watering.js";
import { detectConfig, type DetectConfig } from "../../../schemas/detect-config.js";
import { followRule } from "../../harness/follow-rule.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const LITRE = 1000;

type Watered = Partial<DetectConfig["watering"]>;
/** The anomalies of days that each pass so many litres at five o'clock, from a local day on: yyyy-mm-dd. */
function found(from: string, litres: readonly number[], watering: Watered, meterClass = "irrigation") {
  const first = Date.parse(from) / 1000 / DAY;
  const hours = litres.flatMap((volume) =>
    Array.from({ length: 24 }, (_, hour) => (hour === 5 ? volume * LITRE : 0)),
  );
  const detect = detectConfig.parse({ watering });
  const over = { detect, class: meterClass as "irrigation" };
  const { closed, open } = followRule(new Watering(), hours, over, HOUR, first * 24);
  const days = ({ start, end }: { start: number; end: number }) =>
    [start, end - 1].map((time) => new Date(time * 1000).toISOString().slice(0, 10));
  return {
    closed: closed.map((one) => [...days(one), one.closed]),
    open: open && [...days(open), open.volume / LITRE],
  };
}

describe("watering", () => {
  const season = { from: "04-15", until: "10-15" };

  it("opens where an irrigation meter runs out of the season, and ends with the first day that stays dry", () => {
    expect(found("2026-10-14", [500, 500, 0], { season })).toEqual({ closed: [], open: undefined });
    expect(found("2026-10-14", [500, 500, 500, 400], { season })).toEqual({
      closed: [],
      open: ["2026-10-16", "2026-10-17", 900],
    });
    expect(found("2026-10-16", [500, 0, 0], { season }).closed).toEqual([
      ["2026-10-16", "2026-10-16", "flow-stopped"],
    ]);
  });

  it("knows a season over the turn of the year", () => {
    const south = { season: { from: "10-01", until: "03-31" } };
    expect(found("2026-12-31", [500, 500], south).open).toBeUndefined();
    expect(found("2026-04-01", [500], south).open).toBeDefined();
  });

  it("opens on a weekday without watering, and is over on the next with", () => {
    // 2026-07-06 is a Monday.
    const days: Watered = { days: ["monday", "thursday"] };
    expect(found("2026-07-06", [500, 500, 500, 500], days)).toEqual({
      closed: [["2026-07-07", "2026-07-08", "usage-normal"]],
      open: undefined,
    });
  });

  it("lets a test of a line pass, and says nothing of other meters or without a word of the utility", () => {
    expect(found("2026-12-01", [100, 100], { season }).open).toBeUndefined();
    expect(found("2026-12-01", [101], { season }).open).toBeDefined();
    expect(found("2026-12-01", [5000], { season }, "single-family").open).toBeUndefined();
    expect(found("2026-12-01", [5000], {}).open).toBeUndefined();
  });

  it.each(["4-15", "13-01", "02-32"])("refuses %s as a day of the year", (from) => {
    const { error } = detectConfig.safeParse({ watering: { season: { from, until: "10-15" } } });
    expect(error!.issues[0]).toMatchObject({
      path: ["watering", "season", "from"],
      message: "expected mm-dd, such as 04-15",
    });
  });
});
