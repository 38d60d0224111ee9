/** A button that opens a list of choices, by mouse or by keyboard (the menu button pattern of WAI-ARIA). */
import { make } from "./dom";

export function menu(button: HTMLButtonElement, list: HTMLElement, titles: readonly string[], pick: (index: number) => void): void {
  const items = titles.map((title, index) => {
    const item = make("button", "", title);
    item.type = "button";
    item.role = "menuitem";
    item.tabIndex = -1;
    item.addEventListener("click", () => {
      close();
      pick(index);
    });
    return item;
  });
  list.append(...items);

  const isOpen = (): boolean => !list.hidden;
  const open = (): void => {
    list.hidden = false;
    button.ariaExpanded = "true";
    items[0]?.focus();
  };
  const close = (): void => {
    list.hidden = true;
    button.ariaExpanded = "false";
  };

  button.addEventListener("click", () => (isOpen() ? close() : open()));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    open();
  });
  list.addEventListener("keydown", (event) => {
    const here = items.indexOf(document.activeElement as HTMLButtonElement);
    const moves: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 };
    const next = moves[event.key];
    if (next !== undefined) {
      event.preventDefault();
      items[(next + items.length) % items.length]?.focus();
    } else if (event.key === "Escape") {
      close();
      button.focus();
    }
  });
  list.addEventListener("focusout", (event) => {
    const next = event.relatedTarget;
    if (next !== button && !(next instanceof Node && list.contains(next))) close();
  });
}
