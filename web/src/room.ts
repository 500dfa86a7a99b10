/**
 * Room: a topic `chat/ROOM` with its companions: who is there, and who is typing.
 *
 * The hub is open: what comes may be of any kind, length and author. What is no line of this page's
 * form is shown as it is, as if somebody had said it; so `curl -d hello` is a way to chat, too.
 */

import type { Coho, CohoMember, CohoMessageEvent, CohoSubscription } from "../client/coho.js";
import { parse, type ChatLine, type PresenceEvent, type Typist } from "./protocol.js";

export const maxTextBytes = 4096;
export const maxNameBytes = 64;
const somebody = "somebody";
const hideous = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** What nobody types, but others may post. */
const maxShown = 20_000;

export interface Member {
  id: string;
  name: string;
}

export interface RoomEvents {
  line(line: ChatLine): void;
  /** Lines are gone; null: nobody knows how many. */
  gap(lost: number | null): void;
  members(all: Member[]): void;
  join(member: Member): void;
  leave(member: Member): void;
  rename(member: Member, before: string): void;
  typing(typist: Member): void;
}

export function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A name of the topic for a room of any name: what a topic may not have stands as ~XX. */
export function topicOf(room: string): string {
  const bytes = Array.from(new TextEncoder().encode(room), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w.-]/.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
  });
  const name = bytes.join("");
  return `chat/${/^(\.\.?|history|presence)$/.test(name) ? `~${room.charCodeAt(0).toString(16)}${name.slice(1)}` : name}`;
}

/** A name as strangers may be shown it: short, and without what moves the text around it. */
export function nameFrom(value: unknown): string {
  const name = typeof value === "string" ? value.replace(hideous, "").trim() : "";
  return [...name].slice(0, maxNameBytes).join("") || somebody;
}

export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, "0")).join("");
}

function readLine(data: string | Uint8Array): ChatLine {
  const now = Date.now();
  const said = parse<Partial<ChatLine>>(data);
  const isLine = typeof said?.text === "string" && typeof said.from === "string";
  const text = isLine ? said.text ?? "" : typeof data === "string" ? data : `${data.length} bytes`;
  return {
    id: isLine && typeof said.id === "string" ? said.id : "",
    from: isLine ? said.from ?? "" : "",
    name: isLine ? nameFrom(said.name) : somebody,
    text: text.length > maxShown ? `${text.slice(0, maxShown)} \u2026` : text,
    time: isLine && typeof said.time === "number" && said.time > 0 && said.time < now ? said.time : now,
  };
}

function memberFrom(id: string, info: unknown): Member {
  return { id, name: nameFrom((info as { name?: unknown } | null | undefined)?.name ?? id) };
}

/** Who is present, all parts of the list; what happens to them meanwhile is behind `pos`. */
async function everybody(client: Coho, topic: string): Promise<{ members: CohoMember[]; pos: string }> {
  const { members, pos, next } = await client.presence(topic);
  const all = [...members];
  for (let after = next; after !== undefined; ) {
    const part = await client.presence(topic, after);
    all.push(...part.members);
    after = part.next;
  }
  return { members: all, pos };
}

export class Room {
  readonly #client: Coho;
  readonly #topic: string;
  readonly #events: RoomEvents;
  readonly #members = new Map<string, Member>();
  #self: Member;
  #lines: CohoSubscription;
  #comings: CohoSubscription | null = null;

  constructor(client: Coho, room: string, self: Member, events: RoomEvents) {
    this.#client = client;
    this.#topic = topicOf(room);
    this.#self = self;
    this.#events = events;
    this.#lines = this.#follow("0");
    client.subscribe(this.#typing, ({ data }) => this.#typed(parse<Typist>(data)));
    client.addEventListener("gap", ({ topic, lost }) => {
      if (topic === this.#topic) events.gap(lost);
      if (topic === this.#presence) void this.#count();
    });
    void this.#count();
  }

  get #presence(): string {
    return `${this.#topic}/presence`;
  }

  get #typing(): string {
    return `${this.#topic}/typing`;
  }

  /** Settles when the hub has it, or will never have it; between are losses and returns of the connection. */
  async say(line: ChatLine): Promise<void> {
    await this.#client.publish(this.#topic, JSON.stringify(line));
  }

  /** Who types now is of no interest later: it is said at once or not at all. */
  type(): void {
    if (this.#client.readyState !== 1) return;
    const typist: Typist = { from: this.#self.id, name: this.#self.name };
    void this.#client.publish(this.#typing, JSON.stringify(typist));
  }

  rename(name: string): void {
    const before = this.#lines;
    this.#self = { ...this.#self, name };
    this.#lines = this.#follow(before.position);
    before.unsubscribe();
  }

  #follow(since: string | undefined): CohoSubscription {
    const { id, name } = this.#self;
    const as = { id, info: { name } };
    const take = ({ data }: CohoMessageEvent): void => this.#events.line(readLine(data));
    return this.#client.subscribe(this.#topic, take, since === undefined ? { as } : { as, since });
  }

  /** The list, and from there on what happens to it. */
  async #count(): Promise<void> {
    const list = await everybody(this.#client, this.#topic).catch(() => null);
    if (!list) return; // the client has ended
    this.#members.clear();
    for (const { id, info } of list.members) this.#members.set(id, memberFrom(id, info));
    this.#comings ??= this.#client.subscribe(this.#presence, ({ data }) => this.#happened(parse<PresenceEvent>(data)), { since: list.pos });
    this.#events.members([...this.#members.values()]);
  }

  #happened(event: PresenceEvent | null): void {
    if (typeof event?.id !== "string") return;
    const before = this.#members.get(event.id);
    if (event.event === "leave") {
      if (!this.#members.delete(event.id) || !before) return;
      this.#events.leave(before);
    } else {
      const member = memberFrom(event.id, event.info);
      this.#members.set(member.id, member);
      if (!before) this.#events.join(member);
      else if (before.name !== member.name) this.#events.rename(member, before.name);
    }
    this.#events.members([...this.#members.values()]);
  }

  #typed(typist: Typist | null): void {
    if (typeof typist?.from !== "string" || typist.from === this.#self.id) return;
    this.#events.typing({ id: typist.from, name: nameFrom(typist.name) });
  }
}
