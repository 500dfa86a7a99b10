import { usePresence } from "./hooks";
import { hub } from "./hub";
import { hue } from "./hue";

export function People({ topic, me }: { topic: string; me: string }) {
  const members = usePresence(hub, topic);
  return (
    <section className="people" aria-labelledby="people">
      <h2 id="people">Here</h2>
      <ul>
        {members.map(({ id }) => (
          <li key={id} style={hue(id)}>{id}{id === me && <small> you</small>}</li>
        ))}
      </ul>
    </section>
  );
}
