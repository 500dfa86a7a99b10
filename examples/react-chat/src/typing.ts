/** Who is typing: notices in a topic beside the room, each good for a few seconds. */

import type { Coho } from "coho";
import { useEffect, useRef, useState } from "react";
import { decode, say } from "./line";

const everyMs = 2000;
const lastsMs = 4000;

export function useTyping(hub: Coho, room: string, me: string) {
  const topic = `${room}/typing`;
  const [typing, setTyping] = useState<string[]>([]);
  const told = useRef(0);

  useEffect(() => {
    const timers = new Map<string, number>();
    const stop = (name: string) => {
      clearTimeout(timers.get(name));
      timers.delete(name);
      setTyping([...timers.keys()]);
    };
    const subscription = hub.subscribe(topic, (message) => {
      const { from: name, text } = decode(message);
      if (!name || name === me) return;
      stop(name);
      if (!text) return;
      timers.set(name, setTimeout(stop, lastsMs, name));
      setTyping([...timers.keys()]);
    });
    return () => {
      subscription.unsubscribe();
      timers.forEach(clearTimeout);
      setTyping([]);
    };
  }, [hub, topic, me]);

  /** Only while there is a connection: a notice that waits in the queue would be a lie when it comes. */
  const tell = (still: boolean) => {
    const now = Date.now();
    if (!navigator.onLine || hub.readyState !== 1 || (still && now - told.current < everyMs)) return;
    told.current = still ? now : 0;
    void hub.publish(topic, JSON.stringify(say(me, still ? "typing" : "")));
  };
  return { typing, tell };
}
