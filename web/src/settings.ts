/** The sampling controls: reads them, keeps them for the next visit, and never passes on a value out of range. */
import type { Sampling } from "./api";
import { byId } from "./dom";

const STORE = "tabwright.settings";

const NUMBERS = { temperature: 0, top_p: 0.95, top_k: 0, max_tokens: 64 };
type NumberName = keyof typeof NUMBERS;

export class Settings {
  private readonly form = byId("settings", HTMLFormElement);
  private readonly typing = byId("while-typing", HTMLInputElement);

  constructor() {
    this.load();
    this.form.addEventListener("input", () => this.save());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => localStorage.removeItem(STORE));
  }

  get whileTyping(): boolean {
    return this.typing.checked;
  }

  /** The values in the form; a default stands in for one that the form marks as wrong. */
  get sampling(): Sampling {
    const seed = this.input("seed");
    const number = (name: NumberName): number => {
      const input = this.input(name);
      return input.value !== "" && input.validity.valid ? input.valueAsNumber : NUMBERS[name];
    };
    return {
      temperature: number("temperature"),
      top_p: number("top_p"),
      top_k: number("top_k"),
      max_tokens: number("max_tokens"),
      seed: seed.value !== "" && seed.validity.valid ? seed.valueAsNumber : null,
    };
  }

  private input(name: string): HTMLInputElement {
    return byId(name, HTMLInputElement);
  }

  private save(): void {
    localStorage.setItem(STORE, JSON.stringify({ ...this.sampling, whileTyping: this.whileTyping }));
  }

  private load(): void {
    const stored = localStorage.getItem(STORE);
    if (stored === null) return;
    const values = JSON.parse(stored) as Partial<Sampling> & { whileTyping?: boolean };
    this.typing.checked = values.whileTyping ?? true;
    for (const name of [...(Object.keys(NUMBERS) as NumberName[]), "seed"] as const) {
      const value = values[name];
      if (typeof value === "number") this.input(name).value = String(value);
    }
  }
}
