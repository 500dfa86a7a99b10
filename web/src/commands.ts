/** Commands: what can be typed into a terminal, with the address of this server, and a button to copy it. */

import { make } from "./dom.js";

export function fillHost(): void {
  for (const code of document.querySelectorAll("code")) {
    const text = code.textContent ?? "";
    if (!text.includes("HOST")) continue;
    const command = text.replaceAll("HOST", location.host);
    if (code.closest("pre")) code.textContent = command; // whose lines stay as they are
    else code.replaceChildren(...command.split(/(?<=[^:/]\/|[?&])/).flatMap((part) => [part, make("wbr", "")]));
  }
}

/** Each item of the list is a command, which gets its button. */
export function fillCommands(list: HTMLElement): void {
  fillHost();
  for (const item of list.children) {
    const command = item.querySelector("code")?.textContent;
    if (command) item.append(copyButton(command));
  }
}

function copyButton(text: string): HTMLButtonElement {
  const button = make("button", "quiet", "Copy");
  button.type = "button";
  button.setAttribute("aria-label", `Copy ${text}`);
  button.hidden = !isSecureContext; // browsers lend the clipboard to secure pages only
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Not allowed"),
    );
    setTimeout(() => (button.textContent = "Copy"), 1_500);
  });
  return button;
}
