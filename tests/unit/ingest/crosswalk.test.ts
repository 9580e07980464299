import { Readable } from "node:stream";
import type { z } from "zod";
import { readCrosswalk } from "../../../ingest/registry/crosswalk.js";
import { crosswalkOptions } from "../../../schemas/formats/crosswalk.js";
import { csvProfile } from "../../../schemas/profile.js";
import { at } from "../../harness/read-text.js";

async function read(text: string, options: z.input<typeof crosswalkOptions> = {}) {
  const texts = Readable.from([Readable.from([Buffer.from(text)])]);
  const portions = readCrosswalk(
    texts,
    "America/Los_Angeles",
    csvProfile.parse({}),
    crosswalkOptions.parse(options),
  );
  const rows = [];
  const rejects = [];
  for (;;) {
    const { done, value } = await portions.next();
    if (done === true) return { rows, rejects, passedOver: value };
    rows.push(...value.rows);
    rejects.push(...value.rejects.map(({ line, code, field, value: told }) => [line, code, field, told]));
  }
}

const CIS = `Meter No.,Acct,Premise,Customer Name,Start,End,Cust Class,Route
M-1,A-1,L-1,Ann Doe,5/1/2024 00:00,,R1,7
M-2,A-2,L-2,Bo Roe,12/31/2023 00:00,1/15/2024 00:00,com,7
M-3,A-3,L-3,,,,HYD,7
M-4,A-4,L-4,Cy Poe,,,VIP,7
M-5,A-5,L-5,,2024-05-01,,multi-family,7
`;
const OPTIONS: z.input<typeof crosswalkOptions> = {
  columns: {
    meter_id: "meter no.",
    account_id: "Acct",
    location_id: 3,
    name: "Customer Name",
    move_in: "Start",
    move_out: "End",
    class: "Cust Class",
  },
  date: "MM/DD/YYYY HH:mm",
  classes: { R1: "single-family", COM: "commercial", Hyd: null },
};

it("reads a billing system's own names, dates and words for classes", async () => {
  const { rows, rejects, passedOver } = await read(CIS, OPTIONS);
  expect(rows).toMatchObject([
    {
      ...{ meterId: "M-1", accountId: "A-1", locationId: "L-1", name: "Ann Doe", moveOut: undefined },
      moveIn: at("2024-05-01T07:00Z"),
      settings: [{ from: 0, class: "single-family" }],
    },
    {
      ...{ moveIn: at("2023-12-31T08:00Z"), moveOut: at("2024-01-15T08:00Z") },
      settings: [{ from: 0, class: "commercial" }],
    },
    { meterId: "M-3", settings: [] },
  ]);
  // Nothing of a customer is in what is told of a row.
  expect(rejects).toEqual([
    [5, "unknown-class", "class", null],
    [6, "bad-date", "move_in", null],
  ]);
  expect(passedOver).toEqual(["Route"]);
});

it("says which column is missing, and where it is to be named", async () => {
  await expect(read(CIS)).rejects.toThrow(
    /no column meter_id, account_id, location_id\. .*crosswalk\.columns of the source/,
  );
  await expect(read(CIS, { ...OPTIONS, columns: { ...OPTIONS.columns, zip: "ZIP" } })).rejects.toThrow(
    /no column for zip "ZIP"; it has 8 columns\. Mend crosswalk\.columns/,
  );
});

it("takes the usual names where only some have others", async () => {
  const { rows } = await read("meter_id,ACCOUNT_ID,Premise,move_in\nM-1,A-1,L-1,2024-05-01\n", {
    columns: { location_id: "Premise" },
  });
  expect(rows).toMatchObject([{ meterId: "M-1", accountId: "A-1", locationId: "L-1" }]);
  expect(rows[0]!.moveIn).toBe(at("2024-05-01T07:00Z"));
});
