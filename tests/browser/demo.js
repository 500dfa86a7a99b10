// Demo: a child process `coho serve --demo` on a port of its own, which can be killed and started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const program = process.env.COHO ?? process.env.COHO_BIN ??
  fileURLToPath(new URL("../../build/release/coho", import.meta.url));

export class Demo {
  port = 0;
  #child = null;

  static async start() {
    const demo = new Demo();
    await demo.start();
    return demo;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  get host() {
    return `127.0.0.1:${this.port}`;
  }

  /** The first time on any free port, later on the same one. */
  async start() {
    const listen = `ws://127.0.0.1:${this.port}`;
    this.#child = spawn(program, ["serve", "--demo", "--listen", listen], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stderr.resume();
    this.port = await listeningPort(this.#child);
  }

  /** As a crash would end it: no close frame, no farewell. */
  kill() {
    return this.#end("SIGKILL");
  }

  stop() {
    return this.#end("SIGTERM");
  }

  async #end(signal) {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
}

async function listeningPort(child) {
  const failure = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`${program} ended before it listened: ${code ?? signal}`)));
  });
  failure.catch(() => {}); // later exits are nobody's concern
  const found = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /listening \S+:(\d+)/.exec(line);
      if (match) return Number(match[1]);
    }
    throw new Error(`${program} closed its output before it listened`);
  })();
  const port = await Promise.race([found, failure]);
  child.stdout.resume();
  return port;
}
