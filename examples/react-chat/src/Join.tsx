import type { FormEvent } from "react";

export function Join({ room, onJoin }: { room: string; onJoin: (name: string) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    if (name) onJoin(name);
  };
  return (
    <main className="join">
      <title>Chat</title>
      <form onSubmit={submit}>
        <h1>Chat</h1>
        <p>You are about to enter <b>{room}</b>.</p>
        <label htmlFor="name">Your name</label>
        <input id="name" name="name" required maxLength={40} autoComplete="nickname" spellCheck={false} autoFocus />
        <button type="submit">Enter</button>
      </form>
    </main>
  );
}
