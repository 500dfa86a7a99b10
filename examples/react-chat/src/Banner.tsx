import { type Connection, useConnection, useOnline } from "./hub";

/** What stands between the visitor and the others, if anything does. */
export function Banner({ waiting, error }: { waiting: number; error: string | undefined }) {
  const connection = useConnection();
  const online = useOnline();
  const trouble = connection.problem ?? error;
  const away = whereabouts(connection, online);
  return (
    <div role="status">
      {trouble && <p className="banner bad">{trouble}</p>}
      {away && (
        <p className="banner">
          {away} What you write is kept here and sent by itself.
          {waiting > 0 && <b> {waiting === 1 ? "1 message waits." : `${waiting} messages wait.`}</b>}
        </p>
      )}
    </div>
  );
}

function whereabouts({ state }: Connection, online: boolean): string | null {
  if (state === "closed") return null;
  if (!online) return "You are offline.";
  return state === "lost" ? "The connection is lost; it comes back by itself." : null;
}
