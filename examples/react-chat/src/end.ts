/** A list that follows its end, but only while its reader is there; who reads above is told how much is new. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const nearPx = 40;

export function useEnd(entries: { id: string }[]) {
  const list = useRef<HTMLDivElement>(null);
  const isThere = useRef(true);
  const last = entries.at(-1)?.id;
  const [seen, setSeen] = useState(last);

  const goToEnd = useCallback(() => {
    isThere.current = true;
    list.current?.scrollTo(0, list.current.scrollHeight);
    setSeen(last);
  }, [last]);

  const look = () => {
    if (!list.current) return;
    const { scrollTop, clientHeight, scrollHeight } = list.current;
    isThere.current = scrollTop + clientHeight >= scrollHeight - nearPx;
    if (isThere.current) setSeen(last);
  };

  useLayoutEffect(() => {
    if (isThere.current) goToEnd();
  }, [entries, goToEnd]);

  // The keyboard of a phone makes the list smaller.
  useEffect(() => {
    const observer = new ResizeObserver(() => isThere.current && list.current?.scrollTo(0, list.current.scrollHeight));
    if (list.current) observer.observe(list.current);
    return () => observer.disconnect();
  }, []);

  const unseen = entries.length - 1 - entries.findIndex(({ id }) => id === seen);
  return { list, unseen, look, goToEnd };
}
