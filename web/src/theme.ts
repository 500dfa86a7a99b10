/**
 * Theme: dark or light, as the system says until the visitor says otherwise.
 * Loaded before the page is painted, so that no page flashes in the wrong colours.
 */

type Theme = "light" | "dark";

const key = "coho.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme | null {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // storage may be forbidden
  }
}

let chosen = remembered();

function current(): Theme {
  return chosen ?? (system.matches ? "dark" : "light");
}

function apply(): void {
  document.documentElement.dataset["theme"] = current();
  const button = document.getElementById("theme");
  const other = current() === "dark" ? "light" : "dark";
  button?.setAttribute("aria-label", `Switch to ${other} theme`);
  button?.setAttribute("title", `Switch to ${other} theme`);
  document.dispatchEvent(new Event("themechange"));
}

function toggle(): void {
  chosen = current() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(key, chosen);
  } catch {
    // the choice then lasts as long as the page
  }
  apply();
}

apply();
system.addEventListener("change", apply);
addEventListener("DOMContentLoaded", () => {
  apply();
  document.getElementById("theme")?.addEventListener("click", toggle);
});
