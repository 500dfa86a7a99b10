import type { Entry } from "./hooks";
import { Gap } from "./Gap";
import type { Line } from "./line";
import { Said } from "./Said";
import { useEnd } from "./end";

interface Props {
  entries: Entry<Line>[];
  me: string;
  onRetry: (line: Line) => void;
}

/** Everything in a room, oldest first. What is there at the start is not read aloud, what comes is. */
export function Log({ entries, me, onRetry }: Props) {
  const { list, unseen, look, goToEnd } = useEnd(entries);
  return (
    <div className="log">
      <div className="scroll" role="log" aria-label="Messages" tabIndex={0} ref={list} onScroll={look}>
        {entries.length === 0 && <p className="empty">Nothing was said here yet.</p>}
        <ol>
          {entries.map((entry, index) => {
            if (!("value" in entry)) return <Gap key={entry.id} lost={entry.lost} />;
            const { value: line, pos, error } = entry;
            const goesOn = continues(entries[index - 1], line);
            const state = pos ? "sent" : error ? "failed" : "pending";
            return <Said key={entry.id} line={line} state={state} error={error} mine={line.from === me} goesOn={goesOn} onRetry={onRetry} />;
          })}
        </ol>
      </div>
      {unseen > 0 && (
        <button type="button" className="newer" onClick={goToEnd}>
          {unseen === 1 ? "1 new message" : `${unseen} new messages`}
        </button>
      )}
    </div>
  );
}

/** The same person within five minutes. */
function continues(before: Entry<Line> | undefined, { from, at }: Line): boolean {
  return before !== undefined && "value" in before && before.value.from === from && at - before.value.at < 300_000;
}
