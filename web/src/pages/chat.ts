/** Chat: rooms, names, and a conversation that survives a restart of the server. */

import { ChatLog } from "../chatlog.js";
import { meaning } from "../closecode.js";
import { Connection } from "../connection.js";
import { find } from "../dom.js";
import { Members } from "../members.js";
import { Pill } from "../pill.js";
import type { ChatMessage } from "../protocol.js";
import { Scroller } from "../scroller.js";
import { recall, remember } from "../settings.js";

const maxLineBytes = 4096;
const maxNameBytes = 64;
const control = /[\u0000-\u001f\u007f]/;

const form = find("join", HTMLFormElement);
const nameInput = find("name", HTMLInputElement);
const roomInput = find("room", HTMLInputElement);
const conversation = find("conversation", HTMLElement);
const text = find("text", HTMLInputElement);
const hint = find("say-hint", HTMLElement);

const connection = new Connection(address);
const scroller = new Scroller(find("lines", HTMLElement), find("unread", HTMLButtonElement), 1000);
const log = new ChatLog(scroller, say);
const members = new Members();

let name = "";
let room = "lobby";
let lost = false;
let unread = 0;

function address(): string {
  const path = `chat?room=${encodeURIComponent(room)}`;
  return name ? `${path}&name=${encodeURIComponent(name)}` : path;
}

function bytesIn(words: string): number {
  return new TextEncoder().encode(words).length;
}

/** The server's rule for names and rooms; an empty one means its default. */
function acceptable(words: string): boolean {
  return bytesIn(words) <= maxNameBytes && !control.test(words);
}

function say(line: string): boolean {
  if (!connection.send(line)) return false;
  log.own(line);
  return true;
}

function receive(message: ChatMessage): void {
  switch (message.type) {
    case "welcome":
      welcome(message.name, message.room, message.members);
      break;
    case "join":
      members.join(message.name);
      if (message.name !== name) log.note(`${message.name} joined`);
      break;
    case "leave":
      members.leave(message.name);
      log.note(`${message.name} left`);
      break;
    case "message":
      if (message.name === name) {
        log.confirm(message.text, message.time);
      } else {
        log.theirs(message.name, message.text, message.time);
        countUnread();
      }
      break;
  }
}

function welcome(given: string, where: string, names: string[]): void {
  if (lost) log.note("Connected again.");
  if (given !== name && name) log.note(`The name ${name} is taken here; you are ${given}.`);
  if (!lost) log.note(`You joined ${where}`);
  lost = false;
  name = given;
  hint.textContent = "";
  find("where", HTMLElement).textContent = `You are ${given} in ${where}. Open a second window to talk to yourself.`;
  find("room-name", HTMLElement).textContent = where;
  members.welcome(given, names);
}

function countUnread(): void {
  if (!document.hidden) return;
  unread++;
  document.title = `(${unread}) Chat \u00b7 coho`;
}

function show(joined: boolean): void {
  form.hidden = joined;
  conversation.hidden = !joined;
  (joined ? text : nameInput).focus();
}

function join(): void {
  const wrong = [nameInput, roomInput].find((input) => !acceptable(input.value.trim()));
  find("join-hint", HTMLElement).textContent = wrong ? `Any text without control characters, ${maxNameBytes} bytes at most.` : "";
  for (const input of [nameInput, roomInput]) input.setAttribute("aria-invalid", String(input === wrong));
  if (wrong) return wrong.focus();
  name = nameInput.value.trim();
  room = roomInput.value.trim() || "lobby";
  remember("chat.name", name);
  remember("chat.room", room);
  history.replaceState(null, "", `?room=${encodeURIComponent(room)}`);
  scroller.clear();
  show(true);
  connection.open();
}

function submitLine(): void {
  const line = text.value;
  if (line.trim() === "") return;
  const size = bytesIn(line);
  if (size > maxLineBytes) {
    hint.textContent = `That line has ${size} bytes; a line may have ${maxLineBytes}.`;
  } else if (say(line)) {
    text.value = "";
    hint.textContent = "";
  } else {
    hint.textContent = "Not connected: your words are kept here until you send them.";
  }
}

connection.addEventListener("message", ({ data }) => receive(JSON.parse(String(data)) as ChatMessage));
connection.addEventListener("close", ({ code }) => {
  log.lose();
  if (connection.state === "waiting" && !lost) log.note("The connection was lost; reconnecting by itself.");
  if (connection.state === "closed" && !form.hidden) return;
  if (connection.state === "closed") log.note(`Closed with ${code}. ${meaning(code)}`);
  lost = connection.state === "waiting";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  join();
});
find("say", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  submitLine();
});
find("leave", HTMLButtonElement).addEventListener("click", () => {
  lost = false;
  show(false);
  connection.close(1000, "left");
});
document.addEventListener("visibilitychange", () => {
  unread = 0;
  document.title = "Chat \u00b7 coho";
});

nameInput.value = recall("chat.name") ?? "";
roomInput.value = new URLSearchParams(location.search).get("room") ?? recall("chat.room") ?? "";
new Pill(connection);
nameInput.focus();
