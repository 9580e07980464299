import { z } from "zod";
import { rule } from "./anomalies.js";
import { meterClass } from "./meters.js";

type MeterClass = z.infer<typeof meterClass>;

/** As JavaScript counts them. */
export const WEEKDAYS = [
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
] as const;
const monthDay = z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "expected mm-dd, such as 04-15");

const continuousFlow = z.strictObject({
  hours: z
    .number()
    .min(1)
    .max(168)
    .default(24)
    .describe("Hours of flow without a dry one that open an anomaly."),
  minRate: z
    .number()
    .int()
    .min(0)
    .default(3785)
    .describe(
      "mL/h: an hour counts as flow from here (or from the register's resolution, if that is larger). Default 1 US gal/h, the normal setting of EyeOnWater.",
    ),
  maxGapHours: z
    .number()
    .min(0)
    .max(48)
    .default(4)
    .describe("A longer hole without proof of flow starts the count again."),
});

const spike = z.strictObject({
  minVolume: z.number().int().min(0).default(300_000).describe("mL in one hour: less is never a spike."),
  deviations: z
    .number()
    .min(1)
    .default(8)
    .describe("Robust standard deviations (1.4826 MAD) above the median of the meter's daily peak hours."),
  minDays: z
    .number()
    .int()
    .min(3)
    .max(28)
    .default(14)
    .describe("Whole days of history before the rule speaks."),
});

const leak = z.strictObject({
  rate: z
    .number()
    .min(1)
    .default(3.5)
    .describe(
      "A steady rate needs so many times the most evidence that the meter showed in `days` and that went away by itself, and seven tenths of that once the meter was watched for as long. Higher: fewer alerts, later.",
    ),
  run: z.number().min(1).default(4.5).describe("The same for flow without a pause, whatever its rate."),
  joint: z.number().min(1).default(4).describe("The same for the evidence of both together."),
  days: z
    .number()
    .int()
    .min(14)
    .max(400)
    .default(120)
    .describe("Days for which a meter's past stretches are remembered."),
  warmUpDays: z
    .number()
    .int()
    .min(7)
    .max(60)
    .default(21)
    .describe(
      "Days of hours after which a meter is no longer new: from the third day on it needs more evidence, which wears off until then.",
    ),
});

const burst = z.strictObject({
  minRate: z
    .number()
    .int()
    .min(1)
    .default(400_000)
    .describe(
      "mL/h: less is never a burst. A garden hose gives more, a shower less. A sustained rate needs twice that after the warm-up, which wears off until the 75th day.",
    ),
  rate: z
    .number()
    .min(1)
    .default(3)
    .describe("The sustained rate needs so many times the highest of the last `days`."),
  hours: z
    .number()
    .min(1)
    .max(48)
    .default(6)
    .describe(
      "Or flow of `minRate` for so many hours (twice as many after the warm-up, which wears off until the 75th day),",
    ),
  length: z.number().min(1).default(2).describe("and so many times the longest of the last `days`."),
  days: z.number().int().min(14).max(400).default(120).describe("Days that are remembered."),
  warmUpDays: z.number().int().min(3).max(60).default(21).describe("Days before the rule speaks."),
});

const highDay = z.strictObject({
  minVolume: z.number().int().min(1).default(700_000).describe("mL in a day: less is never high."),
  highest: z
    .number()
    .min(0)
    .default(1.5)
    .describe("A high day is so many times the highest of the last 56. Higher: fewer alerts."),
  deviations: z
    .number()
    .min(0)
    .default(2.25)
    .describe("Robust standard deviations of the log of a day's volume above the usual day of the weekday."),
  minDays: z
    .number()
    .int()
    .min(3)
    .max(56)
    .default(29)
    .describe("Whole days of history before the rule speaks."),
});

/** An object's fields, none of them required, with other defaults or none. */
function some<T extends z.ZodRawShape>(
  object: z.ZodObject<T>,
  defaults: Partial<z.output<z.ZodObject<T>>> = {},
) {
  const fields = Object.entries(object.shape).map(([name, field]) => {
    const { description } = field as z.ZodType;
    const bare = (field instanceof z.ZodDefault ? field.unwrap() : field) as z.ZodType;
    const own = (defaults as Readonly<Record<string, unknown>>)[name];
    const free = own === undefined ? bare.optional() : bare.default(own);
    return [name, description === undefined ? free : free.describe(description)] as const;
  });
  return z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<
    Partial<z.output<z.ZodObject<T>>>
  >;
}

const ofClass = z.strictObject({
  continuousFlow: some(continuousFlow).optional(),
  spike: some(spike).optional(),
  leak: some(leak).optional(),
  burst: some(burst).optional(),
  highDay: some(highDay).optional(),
});

/**
 * Homes behind one meter are never all asleep, so its past holds longer stretches than a home's: less caution finds far more
 * there. Chosen on buildings of the homes in Alicante and Karratha (docs/detection.md).
 */
const ofBuildings = ofClass
  .extend({ leak: some(leak, { rate: 2.5, run: 3.2, joint: 2.8 }).prefault({}) })
  .prefault({});

const classParameters = z.strictObject({
  "single-family": ofClass.optional(),
  "multi-family": ofBuildings.describe("Two to five units. Default: chosen on four homes behind one meter."),
  commercial: ofBuildings.describe("And larger buildings. Default: chosen on twelve homes behind one meter."),
  irrigation: ofClass.optional(),
  "always-on": ofClass.optional(),
} satisfies Record<z.infer<typeof meterClass>, z.ZodType>);

/** Parameters of the rules. Rates are millilitres an hour. */
export const detectConfig = z.strictObject({
  rules: z
    .array(rule)
    .default(["leak", "burst", "high-day", "away", "budget", "watering", "bill-ahead"])
    .describe(
      "Rules that are judged; docs/rules.md tells of each. With a source of temperatures also freeze-risk.",
    ),
  continuousFlow: continuousFlow.prefault({}),
  spike: spike.prefault({}),
  leak: leak.prefault({}),
  burst: burst.prefault({}),
  highDay: highDay.prefault({}),
  away: z
    .strictObject({
      minVolume: z
        .number()
        .int()
        .min(0)
        .default(20_000)
        .describe("mL in a day of a home whose people are away: no more is an ice maker, a drip or a pet."),
    })
    .prefault({}),
  watering: z
    .strictObject({
      minVolume: z
        .number()
        .int()
        .min(0)
        .default(100_000)
        .describe("mL in a day that an irrigation meter may pass out of turn: a test of a line, a drip."),
      days: z
        .array(z.enum(WEEKDAYS))
        .min(1)
        .optional()
        .describe("Weekdays on which irrigation meters may run. Left out: each."),
      season: z
        .strictObject({
          from: monthDay.describe("First day, mm-dd."),
          until: monthDay.describe("Last day, mm-dd; before `from`: in the next year."),
        })
        .optional()
        .describe("Season in which they may run. Left out: all year."),
    })
    .prefault({}),
  budget: z
    .strictObject({
      share: z
        .number()
        .min(0.5)
        .max(1)
        .default(0.8)
        .describe("Share of a resident's monthly budget from which the pace of the month is judged."),
    })
    .prefault({}),
  billAhead: z
    .strictObject({
      times: z
        .number()
        .min(1)
        .default(1.5)
        .describe("A month is high from so many times the same month of last year,"),
      more: z
        .number()
        .int()
        .min(0)
        .default(3_000_000)
        .describe(
          "and so many mL more. Default 3 m³, about the hundred cubic feet in which many utilities bill.",
        ),
      share: z
        .number()
        .min(0.3)
        .max(1)
        .default(0.6)
        .describe("Share of that from which the pace of the month is judged. Lower: earlier, and less sure."),
    })
    .prefault({}),
  freezeRisk: z
    .strictObject({
      below: z
        .number()
        .min(-40)
        .max(5)
        .default(-6.7)
        .describe(
          "°C of the air: from here down pipes freeze. Default 20 °F, the temperature alert threshold of the Building Research Council (University of Illinois, 1996).",
        ),
      hours: z.number().min(1).max(72).default(6).describe("Hours without a break in which it is that cold."),
      dryHours: z
        .number()
        .min(0)
        .max(720)
        .default(24)
        .describe(
          "Hours without any flow: water that runs now and then keeps pipes from freezing, and shows that somebody is there. 0: the cold alone suffices at meters that stand still.",
        ),
    })
    .prefault({})
    .describe("Rule freeze-risk, which a utility with a source of temperatures has besides `rules`."),
  classes: classParameters
    .prefault({})
    .describe(
      "What is otherwise for meters of a class, as the registry has it; the rest is as above. A class's own defaults go before what is set above.",
    ),
  registers: z
    .strictObject({
      stepBack: z
        .number()
        .int()
        .min(0)
        .default(20_000)
        .describe(
          "mL: a register that falls by no more has jittered (5 gal seen on real meters), not run backwards.",
        ),
      maxRate: z
        .number()
        .int()
        .positive()
        .default(11_400_000)
        .describe("mL/h: more can't pass the meter. Default 50 gal/min, a 1-inch meter (AWWA C700)."),
    })
    .prefault({}),
});
export type DetectConfig = z.infer<typeof detectConfig>;
type ClassParameters = z.infer<typeof ofClass>;

const ofClasses = new WeakMap<DetectConfig, Map<MeterClass, DetectConfig>>();

/** The parameters that hold for a meter of a class: its own laid over those of all. */
export function detectOf(config: DetectConfig, meterClass: MeterClass | undefined): DetectConfig {
  if (meterClass === undefined) return config;
  const own: ClassParameters | undefined = config.classes[meterClass];
  if (own === undefined) return config;
  let known = ofClasses.get(config);
  if (known === undefined) ofClasses.set(config, (known = new Map<MeterClass, DetectConfig>()));
  let merged = known.get(meterClass);
  if (merged === undefined) {
    merged = {
      ...config,
      continuousFlow: { ...config.continuousFlow, ...own.continuousFlow },
      spike: { ...config.spike, ...own.spike },
      leak: { ...config.leak, ...own.leak },
      burst: { ...config.burst, ...own.burst },
      highDay: { ...config.highDay, ...own.highDay },
    };
    known.set(meterClass, merged);
  }
  return merged;
}
