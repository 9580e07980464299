import { Writable } from "node:stream";
import { runReal } from "../../bench/real.js";
import { DATA_SETS, itWithData } from "../harness/data-sets.js";

const title = "the continuous flows of real homes are those of the oracle, and so are intervals and litres";
itWithData(title, ["daiad/swm_trialA.csv.gz", "karratha/hourly_litres.csv.gz"])(
  title,
  async () => {
    let printed = "";
    const out = new Writable({
      write(chunk: Buffer, _encoding, done) {
        printed += chunk.toString("utf8");
        done();
      },
    });
    const { sets, exitCode } = await runReal({ shared: DATA_SETS, json: false, out, homes: 6 });
    expect(sets.map(({ set, homes }) => [set, homes])).toEqual([
      ["daiad", 6],
      ["karratha", 6],
    ]);
    for (const { differences, reads, rejects, meterDays, oracleFlows } of sets) {
      expect(differences).toEqual([]);
      expect(reads).toBeGreaterThan(15_000);
      expect(rejects).toEqual({});
      expect(meterDays).toBeGreaterThan(500);
      expect(oracleFlows).toBeGreaterThan(0);
    }
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/continuous-flow: \d+, \d+\.\d in 1,000 meter-days/);
  },
  120_000,
);
