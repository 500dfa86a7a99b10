// What the answers of coho.js have by coho.d.ts, and no more. It is compiled, not run.

import type { Coho, CohoError, CohoMember } from "../../web/client/coho.js";

/** Only what is the same type in both directions. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Answer<K extends "publish" | "presence" | "history"> = Awaited<ReturnType<Coho[K]>>;
type Member = { readonly id: string; readonly info?: unknown };

const yes = <_T extends true>(): void => {};

yes<Same<keyof Answer<"publish">, "pos">>();
yes<Same<keyof Answer<"presence">, "members" | "pos" | "next">>();
yes<Same<Answer<"presence">["members"], CohoMember[]>>();
yes<Same<{ [K in keyof CohoMember]: CohoMember[K] }, Member>>();
yes<Same<keyof Answer<"history">, "messages" | "pos">>();
yes<Same<keyof Answer<"history">["messages"][number], "pos" | "data">>();
yes<Same<Exclude<keyof CohoError, keyof Error>, "code" | "wait">>();
