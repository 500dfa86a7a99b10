import { Banner } from "./Banner";
import { Composer } from "./Composer";
import { useTopic } from "./hooks";
import { hub } from "./hub";
import { decode, say } from "./line";
import { Log } from "./Log";
import { People } from "./People";
import { Pill } from "./Pill";
import { roomTopic } from "./place";
import { Rooms } from "./Rooms";
import { useTyping } from "./typing";

export function Room({ room, me, onLeave }: { room: string; me: string; onLeave: () => void }) {
  const topic = roomTopic(room);
  const { entries, error, send } = useTopic(hub, topic, decode, me);
  const { typing, tell } = useTyping(hub, topic, me);
  const waiting = entries?.filter((entry) => !entry.pos && !("error" in entry)).length ?? 0;

  const write = (text: string) => {
    send(say(me, text));
    tell(false);
  };
  return (
    <div className="chat">
      <title>{`${room} · Chat`}</title>
      <header>
        <h1>Chat</h1>
        <Pill />
        <button type="button" className="quiet" onClick={onLeave}>Leave</button>
      </header>
      <aside>
        <Rooms room={room} />
        <People topic={topic} me={me} />
      </aside>
      <main aria-label={`Room ${room}`}>
        <Banner waiting={waiting} error={error} />
        {entries
          ? <Log key={room} entries={entries} me={me} onRetry={send} />
          : <p className="log empty">{!error && "Fetching what was said …"}</p>}
        <p className="typing">{sentence(typing)}</p>
        <Composer room={room} onWrite={write} onType={tell} />
      </main>
    </div>
  );
}

function sentence(names: string[]): string {
  const [first, second, ...more] = names;
  if (!first) return "";
  if (!second) return `${first} is typing …`;
  return more.length > 0 ? "Several people are typing …" : `${first} and ${second} are typing …`;
}
