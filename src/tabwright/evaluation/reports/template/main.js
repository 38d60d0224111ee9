// Puts the page together and answers to its controls.

const shownRun = () => Number(byId("run").value || 0);
const gridRuns = () => (report.comparison ? [0, 1] : [shownRun()]);

const WHICH = {
  all: ["all", () => true],
  ...(report.comparison
    ? {
        flipped: ["flipped", (task) => flip(task) !== 0],
        better: ["only B passes", (task) => flip(task) > 0],
        worse: ["only A passes", (task) => flip(task) < 0],
      }
    : {
        never: [MOST > 1 ? "never passed" : "not passed", (task) => share(task) === 0],
        ...(MOST > 1 && { sometimes: ["passed at times", (task) => share(task) > 0 && share(task) < 1] }),
        always: [MOST > 1 ? "always passed" : "passed", (task) => share(task) === 1],
      }),
};

const flip = (task) => {
  const [a, b] = RUNS.map((run) => Number(PASSED.has(run.cells[task][0])));
  return b - a;
};
const share = (task, run = gridRuns().at(-1)) => {
  const cells = RUNS[run].cells[task];
  return cells.length ? passes(cells) / cells.length : -1;
};

/** The problems that the tools above the grid leave, in the order that they ask for. */
function chosenTasks() {
  const [, keep] = WHICH[byId("which").value];
  const sought = byId("find").value.trim().toLowerCase();
  const runs = gridRuns();
  const tasks = TASKS.map((_, task) => task).filter((task) =>
    runs.some((run) => RUNS[run].cells[task].length) && keep(task) && TASKS[task].toLowerCase().includes(sought));
  const order = byId("order").value;
  if (order !== "given") tasks.sort((a, b) => (share(a) - share(b)) * (order === "hardest" ? 1 : -1) || a - b);
  return tasks;
}

const refreshGrid = () => showGrid(chosenTasks(), gridRuns());

/** Outcomes and types of errors with their counts; each is a switch that lights up its cells. */
function showKinds() {
  const counts = gridRuns().map((run) => {
    const perKind = new Map();
    for (const kind of RUNS[run].cells.flat()) perKind.set(kind, (perKind.get(kind) ?? 0) + 1);
    return perKind;
  });
  const sum = (kinds) => counts.map((perKind) => kinds.reduce((total, kind) => total + (perKind.get(kind) ?? 0), 0));
  const items = [];
  for (const outcome of Object.keys(OUTCOMES)) {
    const kinds = KINDS.flatMap((kind, number) => (kind.outcome === outcome ? [number] : []));
    const totals = sum(kinds);
    if (!totals.some(Boolean)) continue;
    const typed = kinds.filter((kind) => KINDS[kind].type).map((kind) => [kind, sum([kind])]).filter(([, row]) => row.some(Boolean));
    typed.sort(([, one], [, two]) => two.at(-1) - one.at(-1));
    const errors = typed.map(([kind, row]) => el("li", {}, kindSwitch([shown(KINDS[kind].type)], row, (other) => other === kind, "error-kind")));
    const whole = kindSwitch([mark(outcome), outcome], totals, (kind) => kinds.includes(kind), "outcome-kind");
    items.push(el("li", {}, whole, errors.length > 0 && el("ul", {}, errors)));
  }
  byId("kinds").replaceChildren(...(report.comparison ? [el("li", { class: "kinds-head", "aria-hidden": "true" }, el("span", {}, "A"), el("span", {}, "B"))] : []), ...items);
}

function kindSwitch(name, totals, matches, className) {
  const button = el("button", { type: "button", "aria-pressed": "false", class: className,
    onclick: () => {
      const on = button.getAttribute("aria-pressed") === "false";
      for (const other of byId("kinds").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      grid.kind = on ? matches : null;
      drawSeen();
    } }, el("span", { class: "kind-name" }, name), totals.map((total) => el("span", { class: "kind-count" }, total.toLocaleString("en"))));
  return button;
}

function showRun() {
  const run = RUNS[shownRun()];
  byId("choice-note").textContent = choiceNote(run);
  byId("choice-body").replaceChildren(...choices(gridRuns()));
  grid.kind = null;
  showKinds();
  refreshGrid();
}

function start() {
  const [first] = RUNS;
  const several = RUNS.length > 1;
  const title = report.comparison ? `${plain(RUNS[1].label)} against ${plain(first.label)}` : several ? `${RUNS.length} runs` : plain(first.label);
  byId("title").textContent = title;
  document.title = `${title} – Tabwright report`;
  const facts = [first.recipe.benchmark, !several && first.recipe.model, !several && first.temperature !== null && `temperature ${first.temperature}`,
    count(RUNS.reduce((total, run) => total + run.report.samples, 0), "sample"), count(TASKS.length, "problem")];
  byId("subtitle").textContent = facts.filter(Boolean).map(plain).join(" · ");
  const notes = [...new Set(RUNS.flatMap((run) => run.report.notes.map((note) => (several ? `${plain(run.label)}: ${note}` : note))))];
  byId("notes").replaceChildren(...notes.map((note) => el("li", {}, note)));
  byId("notes").hidden = notes.length === 0;

  if (report.comparison) {
    byId("comparison").hidden = false;
    byId("comparison-body").replaceChildren(...flips(openSample));
  }
  byId("figures").replaceChildren(...figures());
  byId("main").hidden = false;
  if (RUNS.some((run) => run.report.fewest > 1)) {
    byId("curve").hidden = false;
    byId("curve-note").textContent = `The chance that at least one of k samples passes, by the unbiased estimator.${several && RUNS.length > 2 ? "" : " The band is the 95 % bootstrap interval over problems."}`;
    byId("curve-body").replaceChildren(curves(), ...(report.sweep ? sweep() : []));
  }
  byId("run-bar").hidden = !several || Boolean(report.comparison);
  document.body.classList.toggle("many", MOST > 60);
  byId("run").replaceChildren(...RUNS.map((_, number) => el("option", { value: number }, runName(number))));
  if (report.comparison) byId("run").value = "1";
  byId("which").replaceChildren(...Object.entries(WHICH).map(([value, [name]]) => el("option", { value }, name)));
  byId("grid-note").textContent = MOST > 1
    ? "Each row is a problem, each cell a sample; how many passed stands at its end."
    : report.comparison ? "Each problem with its cell of A and its cell of B." : "Each cell is the sample of one problem.";
  byId("origin").replaceChildren(...origin());

  grid.open = openSample;
  wireSample();
  showRun();
  byId("run").addEventListener("change", showRun);
  byId("which").addEventListener("change", refreshGrid);
  byId("order").addEventListener("change", refreshGrid);
  byId("find").addEventListener("input", refreshGrid);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", layGrid);
  addEventListener("hashchange", openAddressed);
  openAddressed();
  document.documentElement.dataset.drawn = "true";
}

start();
