/** Light or dark: the system's choice until the person makes their own, which is kept. */

const STORE = "tabwright.theme";

export function setUpTheme(button: HTMLButtonElement): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = (): boolean => (localStorage.getItem(STORE) ?? (system.matches ? "dark" : "light")) === "dark";
  const apply = (): void => {
    document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
    button.ariaPressed = String(isDark());
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    localStorage.setItem(STORE, isDark() ? "light" : "dark");
    apply();
  });
  apply();
}
