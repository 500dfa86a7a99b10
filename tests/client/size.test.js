// The promise to every page that loads it: at most 4,096 bytes.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundle, web } from "./bundle.js";
import { assert } from "./support.js";

test("coho.js is at most 4,096 bytes, minified and compressed", () => {
  const size = execFileSync("gzip", ["-9n"], { input: bundle() }).length;
  assert.ok(size <= 4096, `${size} bytes`);
});

test("coho.js is what coho.d.ts declares", () => {
  execFileSync("node_modules/.bin/tsc", ["--noEmit", "-p", "client"], { cwd: web, stdio: "inherit" });
});

test("answers have the fields that coho.d.ts declares", () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  execFileSync("node_modules/.bin/tsc", ["--noEmit", "-p", here], { cwd: web, stdio: "inherit" });
});

test("the package has the bundle, and all that it lists", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "coho-package-"));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync("node", ["client/pack.mjs", folder], { cwd: web, stdio: "inherit" });
  const { files, main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  assert.deepEqual(readdirSync(folder).sort(), [...files, "package.json"].sort());
  assert.deepEqual(readFileSync(join(folder, main)), bundle());
});
