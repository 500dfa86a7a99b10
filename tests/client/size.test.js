// The promise to every page that loads it: at most 4,096 bytes.

import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assert } from "./support.js";

const web = fileURLToPath(new URL("../../web/", import.meta.url));

test("coho.js is at most 4,096 bytes, minified and compressed", () => {
  const options = ["client/coho.js", "--minify", "--bundle", "--format=esm", "--log-level=error"];
  const code = execFileSync("node_modules/.bin/esbuild", options, { cwd: web });
  const size = execFileSync("gzip", ["-9n"], { input: code }).length;
  assert.ok(size <= 4096, `${size} bytes`);
});

test("coho.js is what coho.d.ts declares", () => {
  execFileSync("node_modules/.bin/tsc", ["--noEmit", "-p", "client"], { cwd: web, stdio: "inherit" });
});
