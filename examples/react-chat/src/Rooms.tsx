import type { FormEvent } from "react";
import { usePresence } from "./hooks";
import { hub } from "./hub";
import { isRoom, roomLink, rooms, roomTopic } from "./place";

export function Rooms({ room }: { room: string }) {
  const enter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const field = form.elements.namedItem("room") as HTMLInputElement;
    const name = field.value.trim().replace(/\s+/g, "-");
    field.setCustomValidity(isRoom(name) ? "" : "Letters, digits, and . _ ~ - make the name of a room.");
    if (!form.reportValidity()) return;
    location.hash = roomLink(name);
    form.reset();
  };
  return (
    <nav aria-label="Rooms">
      <h2>Rooms</h2>
      <ul>
        {[...new Set([...rooms, room])].map((name) => <RoomLink key={name} name={name} current={name === room} />)}
      </ul>
      <form onSubmit={enter} noValidate>
        <label className="unseen" htmlFor="room">Another room</label>
        <input
          id="room" name="room" placeholder="Other room" autoComplete="off" spellCheck={false} maxLength={64}
          onInput={({ currentTarget }) => currentTarget.setCustomValidity("")}
        />
        <button type="submit">Go</button>
      </form>
    </nav>
  );
}

function RoomLink({ name, current }: { name: string; current: boolean }) {
  const here = usePresence(hub, roomTopic(name)).length;
  return (
    <li>
      <a href={roomLink(name)} aria-current={current ? "page" : undefined}>
        {name}
        {here > 0 && <small>{here}<span className="unseen"> here</span></small>}
      </a>
    </li>
  );
}
