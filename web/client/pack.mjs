// Makes the package as it is published: coho.js is one minified file there.
//
//   npm run --prefix web pack -- [DIR]      default: build/npm; then npm publish DIR

import { build } from "esbuild";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "../../build/npm"));
const wanted = JSON.parse(await readFile(join(here, "package.json"), "utf8"));

wanted.files = wanted.files.filter((name) => name !== "wire.js"); // it is in coho.js
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "package.json"), `${JSON.stringify(wanted, null, 2)}\n`);
await build({ entryPoints: [join(here, "coho.js")], outfile: join(folder, "coho.js"), bundle: true, minify: true, format: "esm" });
await Promise.all(wanted.files.filter((name) => name !== "coho.js").map((name) => cp(join(here, name), join(folder, name))));
