/** The one connection of this page to the hub, for all topics, and what is known about it. */

import { Coho, type CohoCloseEvent, type CohoErrorEvent, type Transport } from "coho";
import { useSyncExternalStore } from "react";

/** Where the hub is: with the page, unless VITE_HUB says otherwise when the page is built. */
export const hub = new Coho((import.meta.env["VITE_HUB"] as string | undefined) ?? "/t/");

export interface Connection {
  state: "connecting" | "open" | "lost" | "closed";
  /** What carries it while it is open. */
  transport?: Transport | "";
  /** Why it is closed. */
  problem?: string;
}

let connection: Connection = { state: "connecting" };

hub.addEventListener("open", () => {
  connection = { state: "open", transport: hub.transport };
});
hub.addEventListener("error", ({ topic }: CohoErrorEvent) => {
  if (!topic) connection = { state: "lost" }; // else a topic was refused, which is between it and who follows it
});
hub.addEventListener("close", ({ code, reason }: CohoCloseEvent) => {
  connection = { state: "closed", problem: `The server does not let you in (${reason || code}).` };
});

// A page that closes takes with it what was not sent yet.
addEventListener("beforeunload", (event) => {
  if (hub.bufferedAmount > 0) event.preventDefault();
});

function watch(onChange: () => void): () => void {
  const life = new AbortController();
  for (const type of ["open", "error", "close"]) hub.addEventListener(type, onChange, life);
  for (const type of ["online", "offline"]) addEventListener(type, onChange, life);
  return () => life.abort();
}

export const useConnection = () => useSyncExternalStore(watch, () => connection);

/** What the browser says: a computer without any network. It is told before a connection is known to be dead. */
export const useOnline = () => useSyncExternalStore(watch, () => navigator.onLine);
