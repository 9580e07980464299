import { detectConfig, detectOf } from "../../../schemas/detect-config.js";

describe("parameters by class of meter", () => {
  const config = detectConfig.parse({
    burst: { minRate: 500_000 },
    classes: { commercial: { burst: { hours: 12 }, leak: { rate: 5 } }, irrigation: {} },
  });

  it("lays those of the class over those of all, and leaves the rest", () => {
    const commercial = detectOf(config, "commercial");
    expect(commercial.burst).toEqual({ ...config.burst, minRate: 500_000, hours: 12 });
    expect(commercial.leak).toEqual({ ...config.leak, rate: 5, run: 3.2, joint: 2.8 });
    expect(commercial.highDay).toEqual(config.highDay);
    expect(detectOf(config, "commercial")).toBe(commercial);
  });

  it("takes those of all where nothing is said of the class, or of the meter", () => {
    expect(detectOf(config, "single-family")).toBe(config);
    expect(detectOf(config, undefined)).toBe(config);
    expect(detectOf(config, "irrigation")).toEqual(config);
  });

  it("asks less of buildings by default", () => {
    for (const meterClass of ["multi-family", "commercial"] as const) {
      const { leak } = detectOf(detectConfig.parse({}), meterClass);
      expect(leak).toEqual({ ...config.leak, rate: 2.5, run: 3.2, joint: 2.8 });
    }
  });

  it.each([
    [{ commercial: { burst: { minRate: -1 } } }, "expected number to be >=1"],
    [{ commercial: { burst: { most: 1 } } }, "Unrecognized key"],
    [{ hotel: {} }, "Unrecognized key"],
  ])("refuses %j", (classes, told) => {
    const { error } = detectConfig.safeParse({ classes });
    expect(error!.message).toContain(told);
  });
});
