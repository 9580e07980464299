import TestSequencer from "@jest/test-sequencer";

/** Folders whose tests take longest: begun last, one of them would go on alone. */
const FIRST = ["tests/faults/", "tests/e2e/"];

/** Jest's own order, where nothing is known of earlier runs, is that of the files' sizes. */
export default class SlowestFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => FIRST.findIndex((folder) => path.includes(folder)) >>> 0;
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
