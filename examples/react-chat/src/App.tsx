import { Join } from "./Join";
import { useName, useRoom } from "./place";
import { Room } from "./Room";

export function App() {
  const [name, setName] = useName();
  const room = useRoom();
  if (!name) return <Join room={room} onJoin={setName} />;
  return <Room room={room} me={name} onLeave={() => setName("")} />;
}
