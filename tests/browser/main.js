// Runs every test of this folder, one after the other, in one browser.

import { closeBrowser } from "./browser.js";
import { runTests } from "./runner.js";
import "./start.test.js";
import "./echo.test.js";
import "./chat.test.js";
import "./stocks.test.js";
import "./stats.test.js";
import "./transports.test.js";
import "./looks.test.js";
import "./react.test.js";
import "./admin.test.js";

const failed = await runTests(process.argv.slice(2));
await closeBrowser();
process.exitCode = failed === 0 ? 0 : 1;
