import fc from "fast-check";
import { TimeZone } from "../../../infra/time-zone.js";
import { at } from "../../harness/read-text.js";

const HOUR = 3600;
const ZONES = [
  "America/Los_Angeles",
  "Europe/Dublin",
  "Australia/Adelaide",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "UTC",
];

const local = (iso: string) => at(`${iso}Z`);

it("has no instant for a time left out, and two for one that comes twice", () => {
  const zone = new TimeZone("America/Los_Angeles");
  expect(zone.instantsOf(local("2026-03-08T02:30"))).toEqual([]);
  expect(zone.instantsOf(local("2026-11-01T01:30"))).toEqual([
    at("2026-11-01T08:30Z"),
    at("2026-11-01T09:30Z"),
  ]);
  expect(zone.instantsOf(local("2026-03-08T03:00"))).toEqual([at("2026-03-08T10:00Z")]);
});

it("goes over a gap to the instant of the transition", () => {
  expect(new TimeZone("America/Los_Angeles").firstInstantFrom(local("2026-03-08T02:30"))).toBe(
    at("2026-03-08T10:00Z"),
  );
  // Half an hour on Lord Howe Island; a whole day on Samoa, which crossed the date line.
  expect(new TimeZone("Australia/Lord_Howe").firstInstantFrom(local("2026-10-04T02:15"))).toBe(
    at("2026-10-03T15:30Z"),
  );
  expect(new TimeZone("Pacific/Apia").firstInstantFrom(local("2011-12-30T12:00"))).toBe(
    at("2011-12-30T10:00Z"),
  );
});

it.each([
  ["America/Los_Angeles", "2026-03-08", 23],
  ["America/Los_Angeles", "2026-11-01", 25],
  ["Europe/Dublin", "2026-03-29", 23],
  ["Australia/Adelaide", "2026-04-05", 25],
  ["Australia/Lord_Howe", "2026-10-04", 23.5],
  ["Australia/Lord_Howe", "2026-04-05", 24.5],
  ["America/Santiago", "2026-09-06", 23],
  ["Asia/Kolkata", "2026-03-08", 24],
])("gives %s %s its %d hours", (name, day, hours) => {
  const zone = new TimeZone(name);
  const midnight = local(`${day}T00:00`);
  expect((zone.firstInstantFrom(midnight + 24 * HOUR) - zone.firstInstantFrom(midnight)) / HOUR).toBe(hours);
});

it("finds every instant again from what the clock shows", () => {
  const zones = ZONES.map((name) => new TimeZone(name));
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: at("2000-01-01T00:00Z"), max: at("2037-01-01T00:00Z") }),
      (zone, instant) => {
        const shown = instant + zone.offsetAt(instant);
        expect(zone.instantsOf(shown)).toContain(instant);
        expect(zone.firstInstantFrom(shown)).toBeLessThanOrEqual(instant);
      },
    ),
    { numRuns: 300 },
  );
});
