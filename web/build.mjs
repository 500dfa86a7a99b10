// Builds the finished site: one folder of plain files that any web server can send.
// The pages' own code is bundled but not minified: people are meant to read it in the browser, and it
// travels compressed.
//
//   npm run build -- [--outdir=DIR]      default: dist

import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: { outdir: { type: "string", default: "dist" } } });
const outdir = resolve(options.outdir);

/** uPlot is one file of its own, loaded only by the pages that draw charts. */
const uplotApart = {
  name: "uplot-apart",
  setup(bundler) {
    bundler.onResolve({ filter: /^uplot$/ }, () => ({ path: "./uplot.js", external: true }));
  },
};

async function buildScripts() {
  const common = { absWorkingDir: here, outdir, bundle: true, format: "esm", target: "es2022" };
  const pages = (await readdir(join(here, "src/pages"))).map((file) => `src/pages/${file}`);
  await build({ ...common, entryPoints: pages, outbase: "src/pages", plugins: [uplotApart] });
  await build({ ...common, entryPoints: ["src/theme.ts"], format: "iife" });
  await build({ ...common, entryPoints: { uplot: "uplot" }, minify: true, legalComments: "inline" });
  await build({ ...common, entryPoints: ["styles/coho.css"] });
  // The pages have it in their bundles; this one is for other pages, and small: who wants to read it has the
  // package.
  await build({ ...common, entryPoints: ["client/coho.js"], minify: true });
}

/** What surrounds a page that has no others beside it. */
function alone(layout) {
  return layout.replace(/  <nav [^]*?<\/nav>\n/, "").replace(/  <p><a href="justws.*\n/, "");
}

/** A page is `<!-- title | description -->` and the content of its main element. */
function render(layout, name, source) {
  const head = /^<!-- (.+?) \| (.+?) -->\n/.exec(source);
  if (!head) throw new Error(`pages/${name}.html: the first line must be <!-- title | description -->`);
  const fields = { name, title: head[1], description: head[2], main: source.slice(head[0].length) };
  const around = name === "admin" ? alone(layout) : layout;
  return around
    .replace(/\{\{(\w+)\}\}/g, (_, field) => fields[field])
    .replace(`<a href="${name}.html"`, `<a aria-current="page" href="${name}.html"`);
}

async function buildPages() {
  const layout = await readFile(join(here, "layout.html"), "utf8");
  for (const file of await readdir(join(here, "pages"))) {
    const source = await readFile(join(here, "pages", file), "utf8");
    await writeFile(join(outdir, file), render(layout, parse(file).name, source));
  }
}

await mkdir(outdir, { recursive: true });
await Promise.all([buildScripts(), buildPages(), cp(join(here, "static"), outdir, { recursive: true })]);
