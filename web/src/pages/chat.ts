/** Chat: rooms, names, and a conversation that survives losses of the connection and restarts of the server. */

import type { CohoError } from "../../client/coho.js";
import { ChatLog } from "../chatlog.js";
import { fillHost } from "../commands.js";
import { find, make } from "../dom.js";
import * as format from "../format.js";
import { Hub } from "../hub.js";
import { Members } from "../members.js";
import { Pill } from "../pill.js";
import type { ChatLine } from "../protocol.js";
import { bytesIn, maxNameBytes, maxTextBytes, newId, Room, type Member } from "../room.js";
import { Scroller } from "../scroller.js";
import { recall, recallHere, remember, rememberHere } from "../settings.js";
import { Typing } from "../typing.js";

const control = /[\u0000-\u001f\u007f]/;
const guests = 1000;
/** More than the hub keeps of a room, so that a gap before all of it is still seen. */
const linesKept = 1200;

const form = find("join", HTMLFormElement);
const nameInput = find("name", HTMLInputElement);
const roomInput = find("room", HTMLInputElement);
const conversation = find("conversation", HTMLElement);
const text = find("text", HTMLTextAreaElement);
const hint = find("say-hint", HTMLElement);
const banner = find("banner", HTMLElement);
const renaming = find("rename-dialog", HTMLDialogElement);

const hub = new Hub("t/");
const scroller = new Scroller(find("lines", HTMLElement), find("unread", HTMLButtonElement), linesKept);
const log = new ChatLog(scroller);
const members = new Members();
const typing = new Typing(find("typing", HTMLElement));
const self: Member = { id: whoAmI(), name: "" };

let room: Room | null = null;
let roomName = "";
let lost = false;
let joinedAt = 0;
let unread = 0;

/** The same for as long as this window lives, so that a reload is no leaving. */
function whoAmI(): string {
  const id = recallHere("chat.id") ?? newId();
  rememberHere("chat.id", id);
  return id;
}

function acceptable(words: string): boolean {
  return bytesIn(words) <= maxNameBytes && !control.test(words);
}

/* ---- what happens in the room ---- */

function receive(line: ChatLine): void {
  typing.stopped(line.from);
  if (line.from === self.id) {
    log.confirm(line);
    showBanner();
    return;
  }
  log.theirs(line);
  if (!document.hidden || line.time < joinedAt) return;
  unread++;
  document.title = `(${unread}) Chat \u00b7 coho`;
}

function noteGap(count: number | null): void {
  if (count === null) log.gap("The server does not know this conversation any more: messages may have been lost.");
  else log.gap(`${format.count(count, "message was", "messages were")} lost.`);
}

function noteMember(member: Member, what: string): void {
  typing.stopped(member.id);
  if (member.id !== self.id) log.note(make("bdi", "", member.name), ` ${what}`);
}

/* ---- saying something ---- */

function why({ code }: CohoError): string {
  switch (code) {
    case "queue-full": return "not sent, too much is waiting already";
    case "too-big": return "not sent, too long";
    case "unknown": return "perhaps sent: there was no answer for too long";
    default: return `not sent: ${code}`;
  }
}

function say(words: string): void {
  const here = room;
  if (!here) return;
  const line: ChatLine = { id: newId(), from: self.id, name: self.name, text: words, time: Date.now() };
  log.own(line);
  here.say(line).then(
    () => log.sent(line),
    (error: CohoError) => log.fail(line, why(error), () => say(words)),
  ).finally(showBanner);
  showBanner();
}

function submitLine(): void {
  const words = text.value.trim();
  if (words === "") return;
  const size = bytesIn(words);
  if (size > maxTextBytes) {
    hint.textContent = `That has ${format.number(size)} bytes; a message may have ${format.number(maxTextBytes)}.`;
    return;
  }
  text.value = "";
  hint.textContent = "";
  typing.sent();
  say(words);
}

/* ---- coming and going ---- */

function show(joined: boolean): void {
  form.hidden = joined;
  conversation.hidden = !joined;
  (joined ? text : nameInput).focus();
}

function showSelf(): void {
  find("where", HTMLElement).replaceChildren("You are ", make("bdi", "", self.name), " in ", make("bdi", "", roomName),
    ". Open a second window to talk to yourself.");
}

/** While there is no connection, what that means for what one says. */
function showBanner(): void {
  const away = room !== null && hub.state === "waiting";
  const waiting = log.pending > 0 ? ` ${format.count(log.pending, "message waits", "messages wait")}.` : "";
  banner.hidden = !away;
  banner.textContent = away ? `No connection. What you send is kept here, and sent when it is back.${waiting}` : "";
}

function join(): void {
  const wrong = [nameInput, roomInput].find((input) => !acceptable(input.value.trim()));
  find("join-hint", HTMLElement).textContent = wrong ? `Any text without control characters, ${maxNameBytes} bytes at most.` : "";
  for (const input of [nameInput, roomInput]) input.setAttribute("aria-invalid", String(input === wrong));
  if (wrong) return wrong.focus();
  self.name = nameInput.value.trim() || `guest-${Math.floor(Math.random() * guests)}`;
  roomName = roomInput.value.trim() || "lobby";
  remember("chat.name", nameInput.value.trim());
  remember("chat.room", roomName);
  history.replaceState(null, "", `?room=${encodeURIComponent(roomName)}`);
  enter();
}

function enter(): void {
  lost = false;
  joinedAt = Date.now();
  log.clear();
  typing.nobody();
  members.show([], self.id);
  find("room-name", HTMLElement).textContent = roomName;
  showSelf();
  show(true);
  room = new Room(hub.open(), roomName, { ...self }, {
    line: receive,
    gap: noteGap,
    members: (all) => members.show(all, self.id),
    join: (member) => noteMember(member, "joined"),
    leave: (member) => noteMember(member, "left"),
    rename: (member, before) => noteMember({ id: member.id, name: before }, `is now ${member.name}`),
    typing: (typist) => typing.saw(typist),
  });
}

function leave(): void {
  room = null;
  hub.close();
  typing.nobody();
  find("where", HTMLElement).textContent = "Choose a name and a room. Open a second window to talk to yourself.";
  show(false);
  showBanner();
}

function rename(): void {
  const input = find("new-name", HTMLInputElement);
  const name = input.value.trim();
  const good = name !== "" && acceptable(name);
  input.setAttribute("aria-invalid", String(!good));
  find("rename-hint", HTMLElement).textContent = good ? "" : `Some text without control characters, ${maxNameBytes} bytes at most.`;
  if (!good) return;
  renaming.close();
  self.name = nameInput.value = name;
  remember("chat.name", name);
  room?.rename(name);
  showSelf();
  text.focus();
}

hub.addEventListener("statechange", () => {
  if (!room) return;
  const open = hub.state === "open";
  log.connected = open;
  if (hub.state === "waiting" && !lost) {
    log.note("The connection was lost; reconnecting by itself.");
    typing.nobody();
  }
  if (open && lost) log.note("Connected again.");
  if (hub.state === "closed") log.note(`The server does not let us in (${hub.lastClose?.code}).`);
  lost = hub.state === "waiting" || (lost && !open);
  showBanner();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  join();
});
find("say", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  submitLine();
  text.focus();
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submitLine();
});
text.addEventListener("input", () => {
  if (text.value !== "" && room && hub.state === "open" && typing.due()) room.type();
});
find("leave", HTMLButtonElement).addEventListener("click", leave);
find("rename", HTMLButtonElement).addEventListener("click", () => {
  find("new-name", HTMLInputElement).value = self.name;
  find("rename-hint", HTMLElement).textContent = "";
  renaming.showModal();
  find("new-name", HTMLInputElement).select();
});
find("rename-cancel", HTMLButtonElement).addEventListener("click", () => renaming.close());
find("rename-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  rename();
});
document.addEventListener("visibilitychange", () => {
  unread = 0;
  document.title = "Chat \u00b7 coho";
});

nameInput.value = recall("chat.name") ?? "";
roomInput.value = new URLSearchParams(location.search).get("room") ?? recall("chat.room") ?? "";
new Pill(hub);
fillHost();
nameInput.focus();
