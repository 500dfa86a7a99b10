/** Where the visitor is, kept in the browser: the name in its storage, the room in the address. */

import { useState, useSyncExternalStore } from "react";

const key = "react-chat.name";

function recall(): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage may be forbidden
  }
}

export function useName(): [string, (name: string) => void] {
  const [name, setName] = useState(recall);
  return [name, (next) => {
    setName(next);
    try {
      localStorage.setItem(key, next);
    } catch {
      // then it lasts as long as the page
    }
  }];
}

export const rooms = ["lobby", "tea", "upstream"];

/** What a topic may be called; topics of these two names belong to the hub. */
export const isRoom = (name: string) =>
  /^[\w.~-]{1,64}$/.test(name) && !/^(\.\.?|history|presence)$/.test(name);

const watch = (onChange: () => void) => {
  addEventListener("hashchange", onChange);
  return () => removeEventListener("hashchange", onChange);
};

export function useRoom(): string {
  const hash = useSyncExternalStore(watch, () => location.hash);
  const name = hash.replace(/^#\/?/, "");
  return isRoom(name) ? name : rooms[0] ?? "lobby";
}

export const roomLink = (name: string) => `#/${name}`;
export const roomTopic = (name: string) => `room/${name}`;
