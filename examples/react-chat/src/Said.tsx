import { memo } from "react";
import { hue } from "./hue";
import type { Line } from "./line";

interface Props {
  line: Line;
  state: "sent" | "pending" | "failed";
  error: string | undefined;
  mine: boolean;
  /** The line before is of the same person. */
  goesOn: boolean;
  onRetry: (line: Line) => void;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** What the client says in codes; what the hub says is in words already. */
const reasons: Record<string, string> = {
  "queue-full": "too much is waiting already",
  unknown: "it may have arrived, nobody can say",
  closed: "the connection has ended",
};

/** One line of a person. Only those that changed are made again. */
export const Said = memo(function Said({ line, state, error, mine, goesOn, onRetry }: Props) {
  const { from, text, at } = line;
  return (
    <li className={`said ${mine ? "mine" : "theirs"} ${state}`} style={hue(from)}>
      <p className={goesOn ? "by unseen" : "by"}>
        <b>{from || "somebody"}</b>
        {at > 0 && <time dateTime={new Date(at).toISOString()}>{clock.format(at)}</time>}
      </p>
      <p className="text">{text}</p>
      {state === "pending" && <small className="fate">on its way</small>}
      {state === "failed" && (
        <small className="fate">
          Not sent: {reasons[error ?? ""] ?? error}. <button type="button" onClick={() => onRetry(line)}>Try again</button>
        </small>
      )}
    </li>
  );
});
