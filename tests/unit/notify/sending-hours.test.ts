import fc from "fast-check";
import { SendingHours } from "../../../notify/outbox/sending-hours.js";

const hoursOf = (sendFrom: string, sendUntil: string, timeZone = "America/Los_Angeles") =>
  SendingHours.of({ timeZone, alerts: { sendFrom, sendUntil } });

const local = (time: number, timeZone = "America/Los_Angeles") =>
  new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(time);

it("lets messages go at once within the hours", () => {
  const noon = Date.UTC(2026, 5, 1, 19);
  expect(hoursOf("08:00", "20:00").next(noon)).toBe(noon);
});

it("holds them until the next morning, by the local clock", () => {
  expect(hoursOf("08:00", "20:00").next(Date.UTC(2026, 5, 2, 3))).toBe(Date.UTC(2026, 5, 2, 15));
  expect(hoursOf("08:00", "20:00").next(Date.UTC(2026, 5, 2, 14, 59))).toBe(Date.UTC(2026, 5, 2, 15));
  expect(hoursOf("08:00", "20:00").next(Date.UTC(2026, 11, 2, 15, 59))).toBe(Date.UTC(2026, 11, 2, 16));
});

it("waits for the hour after one that spring leaves out", () => {
  expect(hoursOf("02:30", "04:00").next(Date.UTC(2026, 2, 8, 9))).toBe(Date.UTC(2026, 2, 8, 10, 30));
});

it("takes equal hours for the whole day and later ones for a night", () => {
  const night = Date.UTC(2026, 5, 2, 8);
  expect(hoursOf("08:00", "08:00").next(night)).toBe(night);
  expect(hoursOf("20:00", "08:00").next(night)).toBe(night);
  expect(hoursOf("20:00", "08:00").next(Date.UTC(2026, 5, 1, 19))).toBe(Date.UTC(2026, 5, 2, 3));
});

it("never names an instant outside the hours nor one more than a day ahead", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2025, 0), max: Date.UTC(2028, 0) }),
      fc.constantFrom("America/Los_Angeles", "Australia/Lord_Howe", "Europe/Berlin", "America/Phoenix"),
      (now, zone) => {
        const next = hoursOf("08:00", "20:00", zone).next(now);
        expect(next).toBeGreaterThanOrEqual(now);
        expect(next - now).toBeLessThanOrEqual(13 * 3_600_000);
        const clock = local(next, zone);
        expect(clock >= "08:00" && clock < "20:00").toBe(true);
      },
    ),
  );
});

it("keeps to the law of the utility's state as well, on Sundays too", () => {
  const texas = SendingHours.of({
    timeZone: "America/Chicago",
    jurisdiction: "US-TX",
    alerts: { sendFrom: "08:00", sendUntil: "20:00" },
  });
  const at = (day: number, hour: number) => Date.UTC(2026, 5, day, hour + 5);
  // The sixth is a Saturday.
  expect(texas.next(at(6, 8))).toBe(at(6, 9));
  expect(texas.next(at(6, 20))).toBe(at(7, 12));
  expect(texas.next(at(7, 9))).toBe(at(7, 12));
  expect(texas.left(at(7, 12))).toBe(8 * 3600);
  expect(texas.next(at(7, 21))).toBe(at(8, 9));
});

it("says how long the hours last, also over a clock change and for the whole day", () => {
  const noon = Date.UTC(2026, 5, 1, 19);
  expect(hoursOf("08:00", "20:00").left(noon)).toBe(8 * 3600);
  expect(hoursOf("08:00", "20:00").left(noon + 8 * 3_600_000)).toBe(24 * 3600);
  expect(hoursOf("20:00", "04:00").left(Date.UTC(2026, 10, 1, 6, 30))).toBe(5.5 * 3600 + 0);
  expect(hoursOf("08:00", "08:00").left(noon)).toBe(Infinity);
});

describe("of a contact", () => {
  const own = (send_from: string | null, send_until: string | null, time_zone: string | null = null) => ({
    send_from,
    send_until,
    time_zone,
  });
  const noon = Date.UTC(2026, 5, 1, 19);

  it("are what they chose within the utility's, and the utility's where they chose nothing or nothing is common", () => {
    const hours = hoursOf("08:00", "20:00");
    expect(hours.within(own(null, null))).toBe(hours);
    expect(hours.within(own("20:00", "23:00"))).toBe(hours);
    expect(hours.within(own("17:00", "22:00")).next(noon)).toBe(noon + 5 * 3_600_000);
    expect(hours.within(own("17:00", "22:00")).left(noon + 5 * 3_600_000)).toBe(3 * 3600);
    expect(hours.within(own("06:00", "09:00")).next(noon)).toBe(noon + 20 * 3_600_000);
    expect(hours.within(own("06:00", "09:00"))).toBe(hours.within(own("06:00", "09:00")));
  });

  it("are taken as they are where the utility writes all day, and inside of a night alone", () => {
    expect(hoursOf("00:00", "00:00").within(own("13:00", "14:00")).next(noon)).toBe(noon + 3_600_000);
    const night = hoursOf("20:00", "08:00");
    expect(night.within(own("05:00", "07:00")).next(noon)).toBe(noon + 17 * 3_600_000);
    // Of hours on both sides of midnight the first that is common.
    expect(night.within(own("07:00", "21:00")).next(noon)).toBe(noon + 8 * 3_600_000);
  });

  it("are those in which it is day at the home and where they live", () => {
    const hours = hoursOf("08:00", "20:00");
    // In New York it is three hours later: its evening ends at five in Los Angeles.
    const newYork = hours.within(own(null, null, "America/New_York"));
    expect(newYork.next(noon)).toBe(noon);
    expect(newYork.left(noon)).toBe(5 * 3600);
    expect(newYork.next(noon + 5 * 3_600_000)).toBe(noon + 20 * 3_600_000);
    // Own hours are those of where they live.
    const morning = hours.within(own("09:00", "12:00", "America/New_York"));
    expect(morning.next(noon)).toBe(noon + 20 * 3_600_000);
    expect(morning.left(noon + 20 * 3_600_000)).toBe(3600);
    expect(hours.within(own("09:00", "10:00", "America/New_York"))).toBe(hours);
  });

  it("let nothing go outside of either, whatever they are", () => {
    const time = fc.integer({ min: 0, max: 23 * 60 + 59 });
    const text = (minutes: number) =>
      `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    fc.assert(
      fc.property(time, time, fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }), (a, b, now) => {
        const [from, until] = [text(Math.min(a, b)), text(Math.max(a, b))];
        const utility = hoursOf("08:00", "20:00");
        const next = utility.within(own(from, until)).next(now);
        const clock = local(next);
        expect(clock >= "08:00" && clock < "20:00").toBe(true);
        if (from < "20:00" && until > "08:00" && from < until)
          expect(clock >= from && clock < until).toBe(true);
      }),
    );
  });
});
