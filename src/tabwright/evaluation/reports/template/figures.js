// pass@k of every run as cards or a table, and where the figures came from.

const aside = (text) => el("p", { class: "aside" }, text);
const notesOf = (notes) => notes.map((note) => el("p", { class: "notes" }, plain(note)));
const headRow = (names) =>
  el(
    "thead",
    {},
    el(
      "tr",
      {},
      names.map((name) => el("th", { scope: "col" }, name)),
    ),
  );
const row = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), cells);
const card = (name, value, small) =>
  el("div", { class: "card" }, el("dt", {}, name), el("dd", {}, value, el("span", {}, small)));

/** Values with their intervals: large where there is one run, a table where there are several. */
function figures() {
  const shown = RUNS.length === 1 ? cards(RUNS[0]) : comparedFigures();
  return [shown, aside("In small print: 95 % bootstrap intervals, over problems.")];
}

function cards(run) {
  const estimates = Object.entries(run.report.pass_at).map(([k, { value, low, high }]) =>
    card(`pass@${k}`, percent(value), interval(low, high)),
  );
  const { always, sometimes, never } = solved(run);
  const several = { "always pass": always, "pass at times": sometimes, "never pass": never };
  const parts = Object.entries(MOST > 1 ? several : { pass: always, "do not": never });
  const split = el(
    "div",
    { class: "card" },
    el("dt", {}, count(TASKS.length, "problem")),
    el(
      "dd",
      { class: "parts" },
      parts.map(([name, number]) => el("div", {}, el("b", {}, number), ` ${name}`)),
    ),
  );
  return el("dl", { class: "cards" }, estimates, split);
}

function comparedFigures() {
  const ks = [...new Set(RUNS.flatMap((run) => Object.keys(run.report.pass_at)))].sort((a, b) => a - b);
  const warm = RUNS.some((run) => run.temperature !== null);
  const cell = (name, ...content) => el("td", { "data-name": name }, content);
  const estimate = (run, k) => {
    const { value, low, high } = run.report.pass_at[k] ?? {};
    if (value === undefined) return cell(`pass@${k}`, "–");
    return cell(`pass@${k}`, el("b", {}, percent(value)), el("small", {}, interval(low, high)));
  };
  const rows = RUNS.map((run, number) =>
    row(
      runName(number),
      warm && cell("temperature", run.temperature ?? "–"),
      cell("samples", run.report.samples.toLocaleString("en")),
      ks.map((k) => estimate(run, k)),
    ),
  );
  const names = ["run", warm && "temperature", "samples", ...ks.map((k) => `pass@${k}`)].filter(Boolean);
  return el("table", { class: "stacked" }, headRow(names), el("tbody", {}, rows));
}

/** How many problems pass with every sample, with some, with none. */
function solved(run) {
  const shares = run.cells.filter((cells) => cells.length).map((cells) => passes(cells) / cells.length);
  return {
    always: shares.filter((share) => share === 1).length,
    sometimes: shares.filter((share) => share > 0 && share < 1).length,
    never: shares.filter((share) => share === 0).length,
  };
}

/** Recipe, settings, hashes and the sandbox's layers of every run. */
function origin() {
  return RUNS.map((run, number) => {
    const layers = Object.entries(run.layers);
    const missing = layers.filter(([, reason]) => reason);
    const parts = {
      Sampled: Object.entries(run.recipe),
      Scored: Object.entries(run.settings),
      Sandbox: [
        ["layers active", `${layers.length - missing.length} of ${layers.length}`],
        ...missing.map(([layer, reason]) => ["not active", `${layer}: ${reason}`]),
      ],
      "SHA-256": Object.entries(run.hashes),
    };
    const lists = Object.entries(parts).map(([name, list]) =>
      el("div", {}, el("h3", {}, name), list.length ? pairs(list) : aside("No recipe beside the samples.")),
    );
    const open = RUNS.length === 1;
    return el("details", { open }, el("summary", {}, runName(number)), el("div", { class: "origin" }, lists));
  });
}

const pairs = (list) =>
  el(
    "dl",
    { class: "pairs" },
    list.map(([key, value]) => [el("dt", {}, plain(key)), el("dd", {}, plain(value))]),
  );
