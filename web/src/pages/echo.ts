/** Echo console: send anything, see every message, close with any code a page may send. */

import { meaning, objection } from "../closecode.js";
import { Connection } from "../connection.js";
import { find, make } from "../dom.js";
import * as format from "../format.js";
import { FrameLog } from "../framelog.js";
import { parseHex, randomBytes, randomText, sizeOf } from "../payload.js";
import { Pill } from "../pill.js";
import { RoundTrip } from "../roundtrip.js";
import { Scroller } from "../scroller.js";

const connection = new Connection("echo");
const trip = new RoundTrip();
const scroller = new Scroller(find("log", HTMLElement), find("unread", HTMLButtonElement));
const log = new FrameLog(scroller);

class Tally {
  messages = 0;
  bytes = 0;
  readonly #element: HTMLElement;

  constructor(id: string) {
    this.#element = find(id, HTMLElement);
  }

  add(data: string | ArrayBuffer): void {
    this.messages++;
    this.bytes += sizeOf(data);
    this.#element.replaceChildren(format.number(this.messages), make("small", "", format.bytes(this.bytes)));
  }
}

const sent = new Tally("sent");
const received = new Tally("received");

function send(data: string | ArrayBuffer): void {
  if (!connection.send(data)) {
    log.event("not sent", "The connection is not open.");
    return;
  }
  trip.depart();
  sent.add(data);
  log.message("up", data);
}

function setUpConnection(): void {
  connection.addEventListener("statechange", () => {
    const closed = connection.state === "closed";
    find("reopen", HTMLButtonElement).hidden = !closed;
    find("close", HTMLButtonElement).hidden = closed;
  });
  connection.addEventListener("open", () => log.event("open", "Handshake done, the connection is open."));
  connection.addEventListener("error", () => log.event("error", "The browser does not say why; the close code says more."));
  connection.addEventListener("message", ({ data }) => {
    received.add(data);
    log.message("down", data, trip.arrive());
    const { median } = trip;
    if (median !== null) find("median", HTMLElement).textContent = format.milliseconds(median);
  });
  connection.addEventListener("close", ({ code, reason, wasClean }) => {
    trip.forget();
    const quoted = reason ? ` \u201c${reason}\u201d` : "";
    log.event(`close ${code}${quoted}`, `${meaning(code)} ${wasClean ? "Clean." : "Not clean."}`);
  });
}

function setUpModes(): void {
  find("modes", HTMLFieldSetElement).addEventListener("change", (event) => {
    const mode = (event.target as HTMLInputElement).value;
    for (const name of ["text", "binary", "random"]) find(`form-${name}`, HTMLFormElement).hidden = name !== mode;
  });
}

/** Runs `action` at submit instead of leaving the page. */
function onSubmit(id: string, action: () => void): void {
  find(id, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
}

function setUpText(): void {
  const text = find("text", HTMLTextAreaElement);
  onSubmit("form-text", () => send(text.value));
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    text.form?.requestSubmit();
    text.select();
  });
}

function setUpBinary(): void {
  const hex = find("hex", HTMLInputElement);
  const hint = find("hex-hint", HTMLElement);
  onSubmit("form-binary", () => {
    const bytes = parseHex(hex.value);
    hint.textContent = bytes ? "" : "Two hex digits make a byte: de ad be ef";
    hex.setAttribute("aria-invalid", String(bytes === null));
    if (bytes) send(bytes.buffer);
  });
  const file = find("file", HTMLInputElement);
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (chosen) send(await chosen.arrayBuffer());
    file.value = "";
  });
}

function setUpRandom(): void {
  const kind = find("kind", HTMLSelectElement);
  const size = find("size", HTMLSelectElement);
  onSubmit("form-random", () => {
    const length = Number(size.value);
    send(kind.value === "text" ? randomText(length) : randomBytes(length).buffer);
  });
}

function setUpClose(): void {
  const code = find("code", HTMLInputElement);
  const reason = find("reason", HTMLInputElement);
  const hint = find("close-hint", HTMLElement);
  const check = (): string | null => {
    const problem = objection(Number(code.value || NaN), reason.value);
    hint.textContent = problem ?? meaning(Number(code.value));
    code.setAttribute("aria-invalid", String(problem !== null));
    return problem;
  };
  code.addEventListener("input", check);
  reason.addEventListener("input", check);
  onSubmit("form-close", () => {
    if (check() === null) connection.close(Number(code.value), reason.value);
  });
  find("reopen", HTMLButtonElement).addEventListener("click", () => connection.open());
  check();
}

setUpConnection();
setUpModes();
setUpText();
setUpBinary();
setUpRandom();
setUpClose();
find("clear", HTMLButtonElement).addEventListener("click", () => scroller.clear());
new Pill(connection);
connection.open();
