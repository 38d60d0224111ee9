// The figures: pass@k as cards or a table, curves, the best temperature, the four rankings, and where all came from.

const RANKING_NAMES = {
  random: ["at random", "the mean of the samples; what one draw gives"],
  mean_logprob: ["highest mean log-probability", "per token"],
  sum_logprob: ["highest sum of log-probabilities", "favours short samples"],
  oracle: ["by the tests themselves", "the upper bound: any sample passes"],
};

/** Values with their intervals: large where there is one run, a table where there are several. */
function figures() {
  if (RUNS.length === 1) {
    const cards = Object.entries(RUNS[0].report.pass_at).map(([k, estimate]) =>
      el("div", { class: "card" }, el("dt", {}, `pass@${k}`), el("dd", {}, percent(estimate.value), el("span", {}, interval(estimate.low, estimate.high)))));
    const { always, sometimes, never } = solved(RUNS[0]);
    const facts = MOST > 1 ? [["always pass", always], ["pass at times", sometimes], ["never pass", never]] : [["pass", always], ["do not", never]];
    const bar = el("div", { class: "card wide" }, el("dt", {}, count(TASKS.length, "problem")),
      el("dd", { class: "parts" }, facts.map(([name, number]) => el("div", {}, el("b", {}, number), ` ${name}`))));
    return [el("dl", { class: "cards" }, cards, bar), aside("In small print: 95 % bootstrap intervals, over problems.")];
  }
  const ks = [...new Set(RUNS.flatMap((run) => Object.keys(run.report.pass_at)))].sort((a, b) => a - b);
  const warm = RUNS.some((run) => run.temperature !== null);
  const head = el("tr", {}, el("th", { scope: "col" }, "run"), warm && el("th", { scope: "col" }, "temperature"), el("th", { scope: "col" }, "samples"),
    ks.map((k) => el("th", { scope: "col" }, `pass@${k}`)));
  const rows = RUNS.map((run, number) => el("tr", {}, el("th", { scope: "row" }, runName(number)), warm && el("td", { "data-name": "temperature" }, run.temperature ?? "–"),
    el("td", { "data-name": "samples" }, run.report.samples.toLocaleString("en")),
    ks.map((k) => {
      const estimate = run.report.pass_at[k];
      return el("td", { "data-name": `pass@${k}` }, estimate ? [el("b", {}, percent(estimate.value)), el("small", {}, interval(estimate.low, estimate.high))] : "–");
    })));
  return [el("table", { class: "stacked" }, el("thead", {}, head), el("tbody", {}, rows)), aside("In small print: 95 % bootstrap intervals, over problems.")];
}

const aside = (text) => el("p", { class: "aside" }, text);

/** How many problems pass with every sample, with some, with none. */
function solved(run) {
  const shares = run.cells.filter((cells) => cells.length).map((cells) => passes(cells) / cells.length);
  return {
    always: shares.filter((share) => share === 1).length,
    sometimes: shares.filter((share) => share > 0 && share < 1).length,
    never: shares.filter((share) => share === 0).length,
  };
}

/** pass@k against k of every run, with the sweep's hull where there is one. */
function curves() {
  const series = RUNS.map((run, number) => ({
    name: runName(number) + (run.temperature === null ? "" : `, temperature ${run.temperature}`),
    label: run.label,
    points: run.report.curve,
    band: RUNS.length <= 2,
  }));
  const ks = series.flatMap(({ points }) => points.map(([k]) => k));
  const start = ks.includes(10) ? 10 : Math.max(...ks);
  return lineChart({ series, hull: report.sweep?.best, title: "pass@k against k; the values stand in the table below", start });
}

/** The best temperature for each k: runs of k with the same best, as a table and as steps. */
function sweep() {
  const { best, temperatures, notes } = report.sweep;
  const spans = [];
  for (const [k, { temperature, value }] of Object.entries(best)) {
    const last = spans[spans.length - 1];
    if (last && last.temperature === temperature) Object.assign(last, { to: Number(k), high: value });
    else spans.push({ temperature, from: Number(k), to: Number(k), low: value, high: value });
  }
  const rows = spans.map(({ temperature, from, to, low, high }) => el("tr", {}, el("th", { scope: "row" }, from === to ? `k = ${from}` : `k = ${from} to ${to}`),
    el("td", {}, el("b", {}, temperature)), el("td", {}, from === to ? percent(low) : `${percent(low)} to ${percent(high)}`)));
  const table = el("table", { class: "plain" }, el("thead", {}, el("tr", {}, ["", "best temperature", "pass@k"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows));
  return [
    el("h3", {}, "Best temperature for each k"),
    aside(`The broad line above: the upper hull of the curves of ${Object.keys(temperatures).length} files. Where intervals overlap, which is best may be chance.`),
    notes.map((note) => el("p", { class: "notes" }, plain(note))),
    el("div", { class: "steps-and-table" }, steps(spans), table),
  ];
}

/** The best temperature as steps over k. */
function steps(spans) {
  const all = [...new Set(Object.values(report.sweep.temperatures))].sort((a, b) => a - b);
  const [width, bottom] = [300, 18 * all.length + 8];
  const most = Math.max(2, spans[spans.length - 1].to);
  const x = (k) => 50 + (Math.log(k) / Math.log(most)) * (width - 72);
  const y = (temperature) => bottom - 14 - 18 * all.indexOf(temperature);
  const svg = el("svg", { viewBox: `0 0 ${width} ${bottom + 22}`, class: "chart steps", role: "img", "aria-label": "Best temperature against k; the values stand in the table beside" });
  for (const temperature of all) {
    svg.append(el("line", { x1: 40, x2: width - 12, y1: y(temperature), y2: y(temperature), class: "rule" }));
    svg.append(el("text", { x: 34, y: y(temperature) + 4, "text-anchor": "end" }, String(temperature)));
  }
  for (const { temperature, from, to } of spans) svg.append(el("line", { x1: x(from) - 3, x2: x(to) + 3, y1: y(temperature), y2: y(temperature), class: "step" }));
  for (const k of new Set([1, most])) svg.append(el("text", { x: x(k), y: bottom + 14, "text-anchor": "middle" }, `k = ${k}`));
  return svg;
}

/** What each of the four rankings would score: of the runs given, side by side where there is nothing to choose from. */
function choices(numbers) {
  if (MOST > 1) return numbers.flatMap((number) => [numbers.length > 1 && el("h3", {}, runName(number)), ...choice(number)]).filter(Boolean);
  const head = numbers.length > 1 && el("thead", {}, el("tr", {}, ["", ...numbers.map((number) => letter(number))].map((name) => el("th", { scope: "col" }, name))));
  const rows = Object.entries(RANKING_NAMES).map(([name, [title]]) => el("tr", {}, el("th", { scope: "row" }, title),
    numbers.map((number) => el("td", {}, RUNS[number].report.rankings[name] === null ? "not known" : percent(RUNS[number].report.rankings[name])))));
  return [el("table", { class: "plain" }, head, el("tbody", {}, rows))];
}

/** Each ranking of one run, and how it grows with the samples to choose from. */
function choice(number) {
  const run = RUNS[number];
  const names = Object.keys(RANKING_NAMES);
  const rows = names.map((name) => {
    const value = run.report.rankings[name];
    const bar = value === null ? null : el("i", { class: "bar" });
    if (bar) bar.style.width = `${100 * value}%`;
    return el("tr", {}, el("th", { scope: "row" }, RANKING_NAMES[name][0], el("small", {}, RANKING_NAMES[name][1])),
      el("td", { class: "bar-cell" }, bar), el("td", {}, value === null ? "not known" : percent(value)));
  });
  const table = el("table", { class: "rankings" }, el("tbody", {}, rows));
  if (run.report.fewest < 2) return [table];
  const ks = run.report.curve.map(([k]) => k);
  const series = names.filter((name) => run.report.rankings_at[name]).map((name) => ({
    name: RANKING_NAMES[name][0],
    points: run.report.rankings_at[name].map((value, i) => [ks[i], value]),
  }));
  return [table, lineChart({ series, title: "Share of problems that pass when one of k samples is chosen; the values stand in the table below", start: ks[ks.length - 1] })];
}

const choiceNote = (run) => MOST < 2
  ? "Codex's four ways to choose one of a problem's samples. With one sample of each there is nothing to choose from."
  : `Codex's four ways to choose one of a problem's samples without running them, of ${run.report.fewest === run.report.most ? "" : "up to "}${run.report.most} samples; ties at random.`;

/** Recipe, settings, hashes and the sandbox's layers of every run. */
function origin() {
  return RUNS.map((run, number) => {
    const missing = Object.entries(run.layers).filter(([, reason]) => reason).map(([layer, reason]) => `${layer}: ${reason}`);
    const parts = {
      Sampled: Object.entries(run.recipe),
      Scored: Object.entries(run.settings),
      Sandbox: [["layers active", `${Object.keys(run.layers).length - missing.length} of ${Object.keys(run.layers).length}`], ...missing.map((text) => ["not active", text])],
      "SHA-256": Object.entries(run.hashes),
    };
    const lists = Object.entries(parts).map(([name, pairs]) => el("div", {}, el("h3", {}, name),
      pairs.length ? el("dl", { class: "pairs" }, pairs.map(([key, value]) => [el("dt", {}, plain(key)), el("dd", {}, plain(value))])) : aside("No recipe beside the samples.")));
    return el("details", { open: RUNS.length === 1 }, el("summary", {}, runName(number)), el("div", { class: "origin" }, lists));
  });
}
