/** `npm run docs:roles`: writes docs/roles.md; with `-- --check` it writes nothing, and fails where the page is not what it would write. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { productionSources, restrictedFunctions } from "./lib/restrictedFunctions.ts";
import { namingProblems, rolesPage } from "./lib/rolesPage.ts";

const root = resolve(import.meta.dirname, "..");
const file = resolve(root, "docs/roles.md");
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const restricted = restrictedFunctions(root, productionSources(root));
const problems = namingProblems(restricted).map((problem) => `deploy/roles.ts: ${problem}`);
const page = rolesPage(restricted);
if (!values.check) writeFileSync(file, page);
else if (readFileSync(file, "utf8") !== page) problems.push("docs/roles.md is not what npm run docs:roles writes");
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
