// A client in a page of Chromium: see ../end.py. The page is that of the server's "/".

import { createHash, X509Certificate } from "node:crypto";
import { chromium } from "playwright-core";
import { browserCommands } from "./browser.js";
import { folder, obey, pem, say } from "./lines.js";

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
// Chromium trusts the system's authorities; a key that is named here it takes as it is.
if (folder) {
  const key = new X509Certificate(pem("cert")).publicKey.export({ type: "spki", format: "der" });
  quiet.push(`--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`);
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
const page = await browser.newPage();
await page.exposeFunction("say", say);

async function visit(url) {
  const home = new URL("/", url.replace(/^ws/, "http")).href;
  if (page.url() === home) return;
  await page.goto(home);
  await page.evaluate(`{
    const waiting = []; // a call of say for each line would take most of the time
    let telling = false;
    const tell = async (line) => {
      waiting.push(line);
      if (telling) return;
      telling = true;
      while (waiting.length > 0) await say(waiting.splice(0).join("\\n"));
      telling = false;
    };
    window.commands = (${browserCommands})(tell, (url, protocols) => new WebSocket(url, protocols));
  }`);
}

let waiting = []; // commands, while the page is busy with those before
let busy = false;

async function obeyWaiting() {
  busy = true;
  while (waiting.length > 0) {
    const some = waiting;
    waiting = [];
    if (some[0][0] === "open") await visit(some[0][1]);
    await page.evaluate((lines) => lines.forEach(([word, ...words]) => window.commands[word](...words)), some);
  }
  busy = false;
}

const command = (word) => (...words) => {
  waiting.push([word, ...words]);
  if (!busy) obeyWaiting().catch((error) => say("failed", error.message.replaceAll("\n", " ")));
};

say("version", browser.version());
obey({ open: command("open"), send: command("send"), close: command("close") }, () => browser.close());
