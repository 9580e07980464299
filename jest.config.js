/** One configuration for every tier; a tier is a folder under tests/. */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/tests"],
  testSequencer: "<rootDir>/tests/harness/slowest-first.mjs",
  testMatch: ["**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2022" },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  testTimeout: 60_000,
};
