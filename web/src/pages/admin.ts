/** Admin: a server's connections as they live; closing one, following one. */

import { signedIn, signIn, signOut, type AdminMessage, type ConnectionInfo, type ListMessage, type ServerNumbers } from "../admin.js";
import { Connection } from "../connection.js";
import { ConnTable } from "../conntable.js";
import { find, make } from "../dom.js";
import * as format from "../format.js";
import { Pill } from "../pill.js";
import { gap, line } from "../tapped.js";

const intervalMs = 1_000;
/** Round trips of those who talk are measured only when they are asked for. */
const pingEvery = 10;
const linesKept = 500;

const login = find("login", HTMLFormElement);
const inside = find("inside", HTMLElement);
const hold = find("hold", HTMLButtonElement);
const filter = find("filter", HTMLInputElement);
const follow = find("follow", HTMLElement);
const frames = find("frames", HTMLOListElement);
const dialog = find("close-dialog", HTMLDialogElement);
const connection = new Connection("feed");

let held = false;
let asked = 0;
let unmeasured = false;
let followed: ConnectionInfo | null = null;
let closing: ConnectionInfo | null = null;
let before: { time: number; server: ServerNumbers } | null = null;

const table = new ConnTable(find("columns", HTMLTableRowElement), find("rows", HTMLTableSectionElement), {
  sort: () => ask(),
  follow: startFollowing,
  close: startClosing,
});

function send(message: object): boolean {
  return connection.send(JSON.stringify(message));
}

function ask(): void {
  const { by, ascending } = table.order;
  send({ op: "list", match: filter.value.trim(), order: by, ascending, ping: asked++ % pingEvery === 0 || unmeasured });
}

/* ---- what the server does ---- */

function rates(time: number, server: ServerNumbers): [string, string][] {
  const seconds = before === null ? 0 : (time - before.time) / 1000;
  const per = (field: "messages_in" | "messages_out" | "cpu_ns") =>
    before === null || seconds <= 0 ? 0 : Math.max(0, server[field] - before.server[field]) / seconds;
  return [
    ["State", server.state],
    ["Connections", format.number(server.connections)],
    ["Messages in", `${format.number(per("messages_in"))} /s`],
    ["Messages out", `${format.number(per("messages_out"))} /s`],
    ["CPU", `${format.number(per("cpu_ns") / 1e7)} %`],
    ["Loop lag", format.milliseconds(server.lag_ms)],
    ["Memory", format.bytes(server.rss_bytes)],
    ["Descriptors", format.number(server.open_fds)],
    ["Up", format.duration(server.uptime_s)],
  ];
}

function showServer(time: number, server: ServerNumbers): void {
  find("facts", HTMLUListElement).replaceChildren(
    ...rates(time, server).map(([title, value]) => make("li", "", make("small", "", title), make("b", "", value))));
  before = { time, server };
}

function showList(list: ListMessage): void {
  showServer(list.time, list.server);
  unmeasured = list.conns.some((c) => c.rtt_ms === null);
  if (held) return;
  const shown = list.conns.length < list.matched ? `, ${format.number(list.conns.length)} of them shown` : "";
  find("summary", HTMLElement).textContent = list.matched === list.total
    ? `${format.count(list.total, "connection")}${shown}.`
    : `${format.number(list.matched)} of ${format.count(list.total, "connection")} fit${shown}.`;
  find("empty", HTMLElement).hidden = list.conns.length > 0;
  table.show(list.conns);
  table.mark(followed?.id ?? null);
}

/* ---- following ---- */

function startFollowing(c: ConnectionInfo): void {
  followed = c;
  frames.replaceChildren();
  follow.hidden = false;
  find("follow-title", HTMLElement).textContent = `Frames of ${c.peer}`;
  find("follow-about", HTMLElement).textContent = "Waiting for the next one.";
  table.mark(c.id);
  send({ op: "tap", id: c.id });
  find("follow-title", HTMLElement).focus();
}

function stopFollowing(): void {
  send({ op: "untap" });
  followed = null;
  follow.hidden = true;
  table.mark(null);
}

function endFollowing(about: string): void {
  find("follow-about", HTMLElement).textContent = about;
  followed = null;
  table.mark(null);
}

function addFrames(message: AdminMessage & { type: "frames" }): void {
  const atEnd = frames.scrollHeight - frames.scrollTop - frames.clientHeight < 40;
  if (message.lost > 0) frames.append(gap(message.lost));
  frames.append(...message.frames.map(line));
  while (frames.children.length > linesKept) frames.firstChild?.remove();
  if (atEnd) frames.scrollTop = frames.scrollHeight;
  find("follow-about", HTMLElement).textContent = `${followed?.target || followed?.route || ""} \u2191 from the peer, \u2193 to it`;
}

/* ---- closing ---- */

function startClosing(c: ConnectionInfo): void {
  closing = c;
  find("close-about", HTMLElement).textContent = `${c.peer} ${c.target || c.route}`;
  find("close-error", HTMLElement).textContent = "";
  dialog.showModal();
}

function answerClosing(error: string): void {
  if (error === "") dialog.close();
  find("close-error", HTMLElement).textContent = error;
  ask();
}

function receive(message: AdminMessage): void {
  switch (message.type) {
    case "list": showList(message); break;
    case "frames": if (message.id === followed?.id) addFrames(message); break;
    case "tap": if (message.error !== "") endFollowing(message.error); break;
    case "tap_end": if (message.id === followed?.id) endFollowing("The connection has ended."); break;
    case "closing": answerClosing(message.error); break;
  }
}

/* ---- signing in ---- */

async function enter(): Promise<void> {
  const may = await signedIn().catch(() => false);
  login.hidden = may;
  inside.hidden = !may;
  if (may) connection.open();
  else find("token", HTMLInputElement).focus();
}

login.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = find("token", HTMLInputElement);
  void signIn(field.value).then((error) => {
    find("login-error", HTMLElement).textContent = error;
    field.value = "";
    find("sign-out", HTMLElement).hidden = error !== "";
    if (error === "") void enter();
  });
});
find("sign-out", HTMLButtonElement).addEventListener("click", () => {
  connection.close(1000);
  void signOut().then(enter);
});

hold.addEventListener("click", () => {
  held = !held;
  hold.setAttribute("aria-pressed", String(held));
});
filter.addEventListener("input", ask);
find("follow-end", HTMLButtonElement).addEventListener("click", stopFollowing);
find("close-cancel", HTMLButtonElement).addEventListener("click", () => dialog.close());
find("close-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const code = find("close-code", HTMLInputElement).valueAsNumber;
  const reason = find("close-reason", HTMLInputElement).value;
  if (!send({ op: "close", id: closing?.id, code, reason }))
    find("close-error", HTMLElement).textContent = "Not connected.";
});

connection.addEventListener("open", () => {
  before = null;
  asked = 0;
  ask();
  if (followed !== null) send({ op: "tap", id: followed.id });
});
connection.addEventListener("message", ({ data }) => receive(JSON.parse(String(data)) as AdminMessage));
setInterval(() => {
  if (!document.hidden) ask();
}, intervalMs);
new Pill(connection);
void enter();
