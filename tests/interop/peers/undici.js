// A client made with undici, which is Node's own: see ../end.py.

import { Agent, WebSocket } from "undici";
import { browserCommands } from "./browser.js";
import { folder, obey, pem, say, sayVersion } from "./lines.js";

const dispatcher = new Agent({ connect: folder ? { ca: pem("ca") } : {} });

sayVersion("undici");
obey(browserCommands(say, (url, protocols) => new WebSocket(url, { protocols, dispatcher })));
