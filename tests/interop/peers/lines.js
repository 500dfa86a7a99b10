// The lines that a program of this folder reads and prints: see ../end.py.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const [role, folder] = process.argv.slice(2);
export const pem = (name) => readFileSync(`${folder}/${name}.pem`);

export const pack = (data) => Buffer.from(data ?? "").toString("hex") || "-";
export const unpack = (word) => Buffer.from(word === "-" ? "" : word, "hex");

export function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

export function sayVersion(name) {
  say("version", createRequire(import.meta.url)(`${name}/package.json`).version);
}

/** Calls commands[WORD](...WORDS) for each line; the end of the lines ends the program. */
export function obey(commands, finish = () => {}) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [word, ...words] = line.split(" ");
    commands[word](...words);
  });
  lines.on("close", async () => {
    await finish();
    process.exit(0);
  });
}

export const names = (protocols) => (protocols === "-" ? [] : protocols.split(","));
