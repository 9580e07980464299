import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** What a folder may import, as the table of docs/architecture.md says. */
const MAY_IMPORT = {
  schemas: [],
  infra: ["schemas"],
  ingest: ["schemas", "infra"],
  detect: ["schemas", "infra"],
  notify: ["schemas", "infra"],
  publish: ["schemas", "infra"],
  web: ["schemas", "infra", "notify"],
};
const FOLDERS = [
  "schemas",
  "infra",
  "ingest",
  "detect",
  "notify",
  "publish",
  "web",
  "cli",
  "bench",
  "demo",
  "tests",
];

/** Folders without clock, I/O and random: the same bytes or reads always give the same answer. */
const PURE = ["schemas/**/*.ts", "ingest/formats/**/*.ts", "ingest/check/**/*.ts", "detect/rules/**/*.ts"];

const boundaries = Object.entries(MAY_IMPORT).map(([folder, allowed]) => {
  const refused = FOLDERS.filter((other) => other !== folder && !allowed.includes(other));
  return {
    name: `imports of ${folder}`,
    files: [`${folder}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns: [refusal(folder, allowed, refused)] }] },
  };
});

function refusal(folder, allowed, refused) {
  const may = allowed.length === 0 ? "nothing of ours" : `only ${allowed.join(", ")}`;
  return {
    regex: `^(\\.\\./)+(${refused.join("|")})/`,
    message: `${folder} imports ${may}: stages speak through the log and the stores (docs/architecture.md).`,
  };
}

const purity = PURE.map((files) => {
  const folder = files.split("/")[0];
  const allowed = MAY_IMPORT[folder];
  const refused = FOLDERS.filter((other) => other !== folder && !allowed.includes(other));
  return {
    name: `purity of ${files}`,
    files: [files],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            refusal(folder, allowed, refused),
            {
              regex:
                "^node:(?!buffer$|util$|zlib$|crypto$)|^(pg|kafkajs|@clickhouse/client|pino|fastify|nodemailer)$",
              message: "This folder is pure: no I/O. Take what is needed as a parameter.",
            },
          ],
        },
      ],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "This folder is pure: take the time as a parameter." },
        { object: "Math", property: "random", message: "This folder is pure: take a seeded generator." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: "This folder is pure: take the time as a parameter.",
        },
      ],
    },
  };
});

export default defineConfig(
  globalIgnores(["dist/", "coverage/", ".cache/", ".curbstop/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An index into an array whose length was just looked at: noUncheckedIndexedAccess asks for the `!`.
      "@typescript-eslint/no-non-null-assertion": "off",
      // A caller names the shape of a row that SQL returns.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
      // Ports are asynchronous also where an adapter has nothing to wait for.
      "@typescript-eslint/require-await": "off",
      eqeqeq: "error",
      "no-eval": "error",
      "no-new-func": "error",
      "no-console": "error",
      "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"] }],
    },
  },
  ...boundaries,
  ...purity,
  {
    name: "tests",
    files: ["tests/**/*.ts"],
    rules: {
      // Answers of servers and parsed output come without types; the expectation checks them.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      // expect(object.method) does not call it.
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
