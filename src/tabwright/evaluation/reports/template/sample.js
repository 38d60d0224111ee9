// One sample in a dialog: error, output, program, test; with its counterpart where two runs are compared. The address
// of the page names the sample that is open, so that it can be sent to a colleague.

const current = { run: 0, task: 0, position: 0 };
let asked = 0;

async function openSample(wanted) {
  const mine = ++asked;
  Object.assign(current, wanted);
  const { run, task, position } = current;
  const shownRuns = report.comparison ? RUNS.map((_, number) => number) : [run];
  const name = TASKS[task];
  const [problem, ...views] = await Promise.all([
    problemOf(name),
    ...shownRuns.map((number) => view(number, task, position)),
  ]);
  if (mine !== asked) return;
  fill(byId("sample-title"), shown(name));
  fill(byId("sample-place"), place(run, task, position, problem));
  const folded = (title, text) => el("details", {}, el("summary", {}, title), code([["given", text]]));
  const shownViews = views.map((build) => build(problem));
  fill(
    byId("sample-body"),
    problem?.prompt && el("section", {}, el("h3", {}, "Prompt"), text(problem.prompt, "prompt")),
    el("div", { class: "views" }, shownViews),
    problem && folded("Test", problem.test),
    !problem && aside("The report was made without the benchmark, so prompts and tests are not in it."),
  );
  byId("sample-body").scrollTop = 0;
  for (const which of ["previous-sample", "next-sample"]) byId(which).hidden = MOST < 2;
  history.replaceState(
    null,
    "",
    `#${new URLSearchParams({ task: name, sample: position + 1, ...(RUNS.length > 1 && { run: run + 1 }) })}`,
  );
  if (!byId("sample").open) {
    byId("sample").showModal();
    byId("sample-title").focus();
  }
}

function place(run, task, position, problem) {
  const n = RUNS[run].cells[task].length;
  const parts = [
    problem?.entry_point,
    MOST > 1 && `sample ${position + 1} of ${n}, ${passes(RUNS[run].cells[task])} passed`,
    RUNS.length > 1 && !report.comparison && runName(run),
  ];
  return parts.filter(Boolean).flatMap((part, i) => [i ? " · " : "", shown(part)]);
}

/** What shows one sample, once its problem is known. */
async function view(number, task, position) {
  const run = RUNS[number];
  const kind = KINDS[run.cells[task][position]];
  const heading = (text) => (report.comparison ? el("h3", { class: "view-run" }, text) : null);
  if (!kind) return () => el("article", {}, heading(runName(number)), aside("This run has no such sample."));
  const sample = await sampleOf(run, TASKS[task], position);
  return (problem) =>
    el(
      "article",
      { class: "view" },
      heading(runName(number)),
      el(
        "p",
        { class: "outcome" },
        mark(kind.outcome),
        el("b", {}, kind.outcome),
        ` – ${outcomeOf(kind.outcome).says}`,
      ),
      sample.error === null ? null : block("Error", text(sample.error, "error")),
      block("Output", output(sample, kind)),
      block("Program", program(sample, problem)),
      facts(sample),
    );
}

const block = (name, ...content) => el("section", {}, el("h3", {}, name), ...content);
const text = (value, name) => el("pre", { class: name, dir: "ltr" }, shown(value, "\n\t"));

function output(sample) {
  if (sample.output === null) return aside("Not kept; score again with --fresh to see it.");
  return sample.output === "" ? aside("It wrote nothing.") : text(sample.output, "output");
}

function program(sample, problem) {
  if (sample.completion === null)
    return aside("The file of samples was not beside its scores, so programs are not in the report.");
  const parts = [
    ["given", problem?.before ?? ""],
    ["written", sample.completion],
    ["given", problem?.after ?? ""],
  ];
  return el("div", {}, aside("Marked at the left: what the model wrote. The rest was given."), code(parts));
}

/** Lines with numbers; each line of parts [class, text]. */
function code(parts) {
  const lines = [[]];
  for (const [kind, whole] of parts) {
    whole.split("\n").forEach((piece, i) => {
      if (i) lines.push([]);
      lines[lines.length - 1].push([kind, piece]);
    });
  }
  while (lines.length > 1 && lines[lines.length - 1].every(([, piece]) => piece.trim() === "")) lines.pop();
  const written = (line) => line.some(([kind]) => kind === "written");
  return el(
    "pre",
    { class: "code", dir: "ltr" },
    lines.map((line) =>
      el(
        "code",
        { class: written(line) ? "line-written" : "" },
        line.map(([kind, piece]) => el("span", { class: kind }, shown(piece, "\t"))),
        "\n",
      ),
    ),
  );
}

function facts({ index, duration_s, n_tokens, mean_logprob, finish_reason }) {
  const said = [
    `sample_index ${index}`,
    duration_s !== null && `ran ${duration_s} s`,
    n_tokens !== null && count(n_tokens, "token"),
    mean_logprob !== null && `mean log-probability ${mean_logprob}`,
    finish_reason !== null && `ended by ${plain(finish_reason)}`,
  ];
  return aside(said.filter(Boolean).join(" · "));
}

/** The sample `by` places further among what the grid shows; within a problem first, then in the next one. */
function step(by) {
  const n = RUNS[current.run].cells[current.task].length;
  const position = current.position + by;
  if (position >= 0 && position < n) return openSample({ position });
  return stepProblem(by, by > 0 ? 0 : Infinity);
}

function stepProblem(by, position = 0) {
  const order = grid.rows.map(({ task }) => task).filter((task) => RUNS[current.run].cells[task].length);
  const next = order[(order.indexOf(current.task) + by + order.length) % order.length];
  if (next === undefined) return null;
  return openSample({ task: next, position: Math.min(position, RUNS[current.run].cells[next].length - 1) });
}

function wireSample() {
  const dialog = byId("sample");
  byId("close").addEventListener("click", () => dialog.close());
  byId("previous-problem").addEventListener("click", () => stepProblem(-1));
  byId("next-problem").addEventListener("click", () => stepProblem(1));
  byId("previous-sample").addEventListener("click", () => step(-1));
  byId("next-sample").addEventListener("click", () => step(1));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (event.shiftKey) stepProblem(by);
    else step(by);
  });
  dialog.addEventListener("close", () => {
    history.replaceState(null, "", location.pathname + location.search);
    const row = grid.rows.find(({ task }) => task === current.task);
    if (row) moveTo({ row: row.number, run: current.run, position: current.position });
    grid.cursor.focus({ preventScroll: true });
    grid.cursor.scrollIntoView({ block: "nearest" });
  });
}

/** Open the sample that the address names. */
function openAddressed() {
  const named = new URLSearchParams(location.hash.slice(1));
  if (!named.has("task")) return;
  const task = taskNumber.get(named.get("task"));
  const run = Number(named.get("run") ?? 1) - 1;
  const position = Number(named.get("sample") ?? 1) - 1;
  if (RUNS[run]?.cells[task]?.[position] !== undefined) openSample({ run, task, position });
  else byId("readout").textContent = "The address names a sample that is not in this report.";
}
