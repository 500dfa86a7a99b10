// Runner: named tests in the order in which they were written, each with a demo server of its own.

import { Demo } from "./demo.js";
import { closeVisitors, complaints, forgetComplaints, photographAll } from "./browser.js";

const timeoutMs = 60_000;
const tests = [];

/** `body` gets a running demo server; it need not clean up. */
export function test(name, body) {
  tests.push({ name, body });
}

/** Runs the tests whose name contains one of `words` (all without words); tells how many failed. */
export async function runTests(words) {
  const chosen = tests.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  let failed = 0;
  for (const { name, body } of chosen) {
    const started = performance.now();
    const error = await outcome(name, body);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${error ? "FAIL" : "ok  "} ${name} (${seconds} s)`);
    if (error) {
      failed++;
      console.log(`     ${String(error.stack ?? error).replaceAll("\n", "\n     ")}`);
    }
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed;
}

/** The error a test ended with, or null. */
async function outcome(name, body) {
  forgetComplaints();
  let demo = null;
  try {
    demo = await Demo.start();
    await within(timeoutMs, body(demo));
    if (complaints.length > 0) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
    return null;
  } catch (error) {
    await photographAll(`failed-${name.replace(/\W+/g, "-")}`);
    return error;
  } finally {
    await closeVisitors();
    await demo?.stop();
  }
}

async function within(limitMs, promise) {
  let timer;
  const alarm = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, alarm]);
  } finally {
    clearTimeout(timer);
  }
}
