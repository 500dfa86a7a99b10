// coho.js as it is published and served: one file, minified.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const web = fileURLToPath(new URL("../../web/", import.meta.url));

/** Its code. */
export function bundle() {
  const options = ["client/coho.js", "--minify", "--bundle", "--format=esm", "--log-level=error"];
  return execFileSync("node_modules/.bin/esbuild", options, { cwd: web });
}

/** What it exports. */
export async function bundled() {
  const folder = mkdtempSync(join(tmpdir(), "coho-bundle-"));
  try {
    const file = join(folder, "coho.mjs");
    writeFileSync(file, bundle());
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
