import { useConnection, useOnline } from "./hub";

const words = { connecting: "connecting", open: "connected", lost: "reconnecting", closed: "closed" };

/** The connection in a word, and what carries it. */
export function Pill() {
  const { state, transport } = useConnection();
  const online = useOnline();
  const shown = online || state === "closed" ? state : "lost";
  return (
    <p className="pill" data-state={shown}>
      {online ? words[state] : "offline"}
      {shown === "open" && transport && <small>{transport}</small>}
    </p>
  );
}
