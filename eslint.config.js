import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "node_modules",
      "artifacts",
      "cache",
      "coverage",
      "typechain-types",
      "ignition",
      ".estuary",
      "**/dist",
      "**/dist-local",
    ],
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-else-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name." },
        { selector: "TSEnumDeclaration", message: "Use a union of literals." },
      ],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // bigint and number print well in templates.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // An interface and a type alias read equally well; an index signature is sometimes clearer than Record.
      "@typescript-eslint/consistent-type-definitions": "off",
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // It asks for `!`, which no-non-null-assertion forbids.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
    },
  },
  {
    // Pure: what it needs comes in as an argument. Its imports are checked by scripts/check-imports.ts.
    files: ["offchain/protocol/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", "process", "fetch", "Date", "performance", "setTimeout", "setInterval"],
    },
  },
  {
    // Entry points talk to a person.
    files: ["scripts/**/*.ts", "offchain/cli/**/*.ts", "docs/examples/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    // A JSON-RPC answer is `any`; here the other end is our own process.
    files: ["devnet/**/*.ts", "test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/explicit-module-boundary-types": "off",
      // chai asserts with properties: expect(x).to.be.true
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // A catalogue of sentences: each is a template, of type string.
    files: ["app/src/words/en/*.ts"],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
  {
    // Ignition and Hardhat load these files by their default export.
    files: ["*.config.ts", "app/*.config.ts", "deploy/**/*.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
);
