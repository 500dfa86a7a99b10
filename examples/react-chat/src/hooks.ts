/** Two hooks that bring topics of a coho hub into React: what is said in one, and who is there. */

import type { Coho, CohoGapEvent, CohoMember, CohoMessage, CohoSubscription, Position } from "coho";
import { useCallback, useEffect, useRef, useState } from "react";

/** With `pos` the hub has it, with `error` it will not get there, with neither it is on its way. */
export type Message<T> = { id: string; value: T; pos?: Position; error?: string };
/** Messages are gone here; null: nobody knows how many. */
export type Gap = { id: string; lost: number | null; pos: Position };
export type Entry<T> = Message<T> | Gap;
export type Received = Pick<CohoMessage, "data" | "pos">;

/** Puts an entry behind all that came, before what is on its way; what was sent twice comes once, the oldest go. */
function arrive<T>(entries: Entry<T>[], entry: Entry<T>): Entry<T>[] {
  const known = entries.find(({ id }) => id === entry.id);
  if (known?.pos && known.pos !== entry.pos) return entries;
  const others = entries.filter((other) => other !== known);
  return [...others, entry].sort((a, b) => Number(!a.pos) - Number(!b.pos)).slice(-2000);
}

/** Asks what there is, then follows from there, until the function it returns is called. */
function track<Answer extends { pos: Position }>(hub: Coho, topic: string, as: CohoMember | undefined, plan: {
  ask(): Promise<Answer>;
  onAnswer(answer: Answer): void;
  onMessage(message: CohoMessage): void;
  onGap(gap: CohoGapEvent, restart: () => void): void;
  onError?(error: Error): void;
}) {
  const life = new AbortController();
  let subscription: CohoSubscription | undefined;
  const start = () => plan.ask().then((answer) => {
    if (life.signal.aborted) return;
    subscription?.unsubscribe();
    plan.onAnswer(answer);
    subscription = hub.subscribe(topic, plan.onMessage, { since: answer.pos, ...(as && { as }) });
  }).catch((error: Error) => plan.onError?.(error));
  hub.addEventListener("gap", (gap) => void (gap.topic === topic && plan.onGap(gap, start)), life);
  hub.addEventListener("error", (event) => void (event.topic === topic && plan.onError?.(event.error)), life);
  start();
  return () => (life.abort(), subscription?.unsubscribe());
}

/** Follows a topic, present there as `me`: first its history, then what comes; a return goes on where it was left.
 *  `decode` makes a value of a message, and has to be the same at each render. */
export function useTopic<T extends { id: string }>(hub: Coho, topic: string, decode: (m: Received) => T, me?: string) {
  const [logs, setLogs] = useState<Record<string, Entry<T>[]>>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const left = useRef<Record<string, { messages: Received[]; pos: Position }>>({});
  const change = useCallback((update: (entries: Entry<T>[]) => Entry<T>[]) =>
    setLogs((all) => ({ ...all, [topic]: update(all[topic] ?? []) })), [topic]);

  useEffect(() => {
    const take = (pos: Position, arrivals: Entry<T>[]) => {
      left.current[topic] = { messages: [], pos };
      change((entries) => arrivals.reduce(arrive, entries));
    };
    const read = (message: Received, value = decode(message)): Entry<T> => ({ id: value.id, value, pos: message.pos });
    return track(hub, topic, me ? { id: me } : undefined, {
      ask: async () => left.current[topic] ?? hub.history(topic),
      onAnswer: ({ messages, pos }) => take(pos, messages.map((message) => read(message))),
      onMessage: (message) => take(message.pos, [read(message)]),
      onGap: ({ lost, pos = "" }) => take(pos, [{ id: `gap ${pos}`, lost, pos }]),
      onError: ({ message }) => setErrors({ [topic]: message }),
    });
  }, [hub, topic, decode, me, change]);

  /** Shows a value at once; the client sends it once, as soon as there is a connection. */
  const send = useCallback((value: T) => {
    const settle = (fate: Partial<Message<T>>) =>
      change((all) => all.map((entry) => (entry.id === value.id ? { ...entry, ...fate } : entry)));
    change((all) => arrive(all, { id: value.id, value }));
    const sent = hub.publish(topic, JSON.stringify(value));
    sent.then(({ pos }) => settle({ pos }), ({ message }: Error) => settle({ error: message }));
  }, [hub, topic, change]);
  return { entries: logs[topic], error: errors[topic], send };
}

/** All parts of the list; what happens to it meanwhile comes behind the first one's `pos`. */
async function everybody(hub: Coho, topic: string, after?: number): Promise<{ members: CohoMember[]; pos: Position }> {
  const { members, pos, next } = await hub.presence(topic, after);
  return { members: next ? [...members, ...(await everybody(hub, topic, next)).members] : members, pos };
}

/** Who is present in a topic, in the order in which they came. */
export function usePresence(hub: Coho, topic: string): CohoMember[] {
  const [seen, setSeen] = useState<Record<string, CohoMember[]>>({});
  useEffect(() => track(hub, `${topic}/presence`, undefined, {
    ask: () => everybody(hub, topic),
    onAnswer: ({ members }) => setSeen({ [topic]: members }),
    onMessage: ({ data }) => {
      const { event, id, info } = JSON.parse(String(data)) as CohoMember & { event: "join" | "update" | "leave" };
      const change = (all: CohoMember[]) => event === "update" ? all.map((one) => (one.id === id ? { id, info } : one))
        : [...all.filter((one) => one.id !== id), ...(event === "join" ? [{ id, info }] : [])];
      setSeen(({ [topic]: all = [] }) => ({ [topic]: change(all) }));
    },
    onGap: (_, restart) => restart(),
  }), [hub, topic]);
  return seen[topic] ?? [];
}
