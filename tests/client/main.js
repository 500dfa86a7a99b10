// Runs the tests of this folder, or those whose name contains one of the words, and counts them.

import { readdirSync } from "node:fs";
import { run } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(here).filter((file) => file.endsWith(".test.js")).map((file) => here + file);
const words = process.argv.slice(2).map((word) => new RegExp(word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));

let passed = 0;
let failed = 0;
const tests = run({ files, concurrency: 2, timeout: 200_000, ...(words.length > 0 && { testNamePatterns: words }) });
tests.on("test:pass", ({ name, skip }) => {
  if (skip !== undefined || name.endsWith(".test.js")) return;
  passed++;
  console.log(`ok   ${name}`);
});
tests.on("test:fail", ({ name, details: { error } }) => {
  if (name.endsWith(".test.js") && error.code === "ERR_TEST_FAILURE" && error.failureType === "subtestsFailed") return;
  failed++;
  const why = error.cause?.stack ?? error.cause ?? error;
  console.log(`FAIL ${name}\n     ${String(why).replaceAll("\n", "\n     ")}`);
});
tests.on("end", () => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
});
tests.resume();
