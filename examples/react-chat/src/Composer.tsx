import { type FormEvent, type KeyboardEvent, useEffect, useRef } from "react";

interface Props {
  room: string;
  onWrite: (text: string) => void;
  onType: (still: boolean) => void;
}

export function Composer({ room, onWrite, onType }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);

  // Where there is a keyboard, one can write at once.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [room]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = field.current?.value.trim();
    if (!field.current || !text) return;
    onWrite(text);
    field.current.value = "";
    field.current.focus();
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While a character is composed, Enter belongs to that.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  return (
    <form className="composer" onSubmit={submit}>
      <label className="unseen" htmlFor="message">Message to {room}</label>
      <textarea
        id="message" ref={field} rows={1} maxLength={4000} placeholder={`Message to ${room}`}
        onKeyDown={press} onInput={({ currentTarget }) => onType(currentTarget.value.trim() !== "")}
      />
      <button type="submit">Send</button>
    </form>
  );
}
