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
  const tasks = TASKS.map((_, task) => task).filter(
    (task) =>
      runs.some((run) => RUNS[run].cells[task].length) && keep(task) && TASKS[task].toLowerCase().includes(sought),
  );
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
    const typed = kinds
      .filter((kind) => KINDS[kind].type)
      .map((kind) => [kind, sum([kind])])
      .filter(([, row]) => row.some(Boolean));
    typed.sort(([, one], [, two]) => two.at(-1) - one.at(-1));
    const errors = typed.map(([kind, row]) =>
      el(
        "li",
        {},
        kindSwitch([shown(KINDS[kind].type)], row, (other) => other === kind, "error-kind"),
      ),
    );
    const whole = kindSwitch([mark(outcome), outcome], totals, (kind) => kinds.includes(kind), "outcome-kind");
    items.push(el("li", {}, whole, errors.length > 0 && el("ul", {}, errors)));
  }
  const head = el("li", { class: "kinds-head", "aria-hidden": "true" }, el("span", {}, "A"), el("span", {}, "B"));
  fill(byId("kinds"), report.comparison && head, items);
}

function kindSwitch(name, totals, matches, className) {
  const button = el(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      class: className,
      onclick: () => {
        const on = button.getAttribute("aria-pressed") === "false";
        for (const other of byId("kinds").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(on));
        grid.kind = on ? matches : null;
        drawSeen();
      },
    },
    el("span", { class: "kind-name" }, name),
    totals.map((total) => el("span", { class: "kind-count" }, total.toLocaleString("en"))),
  );
  return button;
}

function showRun() {
  const run = RUNS[shownRun()];
  byId("choice-note").textContent = choiceNote(run);
  fill(byId("choice-body"), choices(gridRuns()));
  grid.kind = null;
  showKinds();
  refreshGrid();
}

function showHeading() {
  const [first] = RUNS;
  const names = RUNS.slice(0, 4).map(({ label }) => plain(label));
  const more = RUNS.length > 4 ? ` and ${RUNS.length - 4} more` : "";
  const title = report.comparison ? `${names[1]} against ${names[0]}` : names.join(", ") + more;
  const n = RUNS.reduce((total, run) => total + run.report.samples, 0);
  const alone = SEVERAL ? [] : [first.recipe.model, first.temperature !== null && `temperature ${first.temperature}`];
  const facts = [first.recipe.benchmark, ...alone, count(n, "sample"), count(TASKS.length, "problem")];
  byId("title").textContent = title;
  document.title = `${title} – Tabwright report`;
  byId("subtitle").textContent = facts.filter(Boolean).map(plain).join(" · ");
  const notes = RUNS.flatMap(({ label, report: { notes } }) =>
    notes.map((note) => el("li", {}, SEVERAL && `${plain(label)}: `, note)),
  );
  fill(byId("notes"), notes).hidden = notes.length === 0;
}

function showSections() {
  if (report.comparison) fill(byId("comparison-body"), flips(openSample));
  byId("comparison").hidden = !report.comparison;
  fill(byId("figures"), figures());
  byId("curve").hidden = RUNS.every((run) => run.report.fewest < 2);
  if (!byId("curve").hidden) {
    const band = RUNS.length > 2 ? "" : " The band is the 95 % bootstrap interval over problems.";
    byId("curve-note").textContent =
      `The chance that at least one of k samples passes, by the unbiased estimator.${band}`;
    fill(byId("curve-body"), curves(), report.sweep && sweep());
  }
  byId("grid-note").textContent = gridNote();
  fill(byId("origin"), origin());
}

function gridNote() {
  if (MOST > 1) return "Each row is a problem, each cell a sample; how many passed stands at its end.";
  return report.comparison ? "Each problem with its cell of A and of B." : "Each cell is the sample of one problem.";
}

function wireControls() {
  const option = (value, name) => el("option", { value }, name);
  fill(
    byId("run"),
    RUNS.map((_, number) => option(number, runName(number))),
  );
  fill(
    byId("which"),
    Object.entries(WHICH).map(([value, [name]]) => option(value, name)),
  );
  byId("run-bar").hidden = !SEVERAL || Boolean(report.comparison);
  byId("run").addEventListener("change", showRun);
  byId("which").addEventListener("change", refreshGrid);
  byId("order").addEventListener("change", refreshGrid);
  byId("find").addEventListener("input", refreshGrid);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layGrid());
  addEventListener("hashchange", openAddressed);
  grid.open = openSample;
  wireSample();
}

const SEVERAL = RUNS.length > 1;
document.body.classList.toggle("many", MOST > 60);
byId("main").hidden = false;
showHeading();
showSections();
wireControls();
showRun();
openAddressed();
document.documentElement.dataset.drawn = "true";
