// pass@k against k of every run, and the best temperature for each k where several temperatures were sampled.

function curves() {
  const series = RUNS.map((run, number) => ({
    name: runName(number) + (run.temperature === null ? "" : `, temperature ${run.temperature}`),
    label: run.label,
    points: run.report.curve,
    band: RUNS.length <= 2,
  }));
  const ks = series.flatMap(({ points }) => points.map(([k]) => k));
  const start = ks.includes(10) ? 10 : Math.max(...ks);
  const title = "pass@k against k; the values stand in the table below";
  return lineChart({ series, hull: report.sweep?.best, title, start });
}

/** The best temperature for each k: neighbouring k with the same best as one step and one row. */
function sweep() {
  const { best, temperatures, notes } = report.sweep;
  const spans = [];
  for (const [k, { temperature, value }] of Object.entries(best)) {
    const last = spans.at(-1);
    if (last?.temperature === temperature) Object.assign(last, { to: Number(k), high: value });
    else spans.push({ temperature, from: Number(k), to: Number(k), low: value, high: value });
  }
  const rows = spans.map(({ temperature, from, to, low, high }) =>
    row(
      from === to ? `k = ${from}` : `k = ${from} to ${to}`,
      el("td", {}, el("b", {}, temperature)),
      el("td", {}, from === to ? percent(low) : `${percent(low)} to ${percent(high)}`),
    ),
  );
  const table = el("table", {}, headRow(["", "best temperature", "pass@k"]), el("tbody", {}, rows));
  const files = count(Object.keys(temperatures).length, "file");
  return [
    el("h3", {}, "Best temperature for each k"),
    aside(`The broad line above: the upper hull of ${files}. Where intervals overlap, which is best may be chance.`),
    notesOf(notes),
    el("div", { class: "steps-and-table" }, steps(spans), table),
  ];
}

function steps(spans) {
  const all = [...new Set(Object.values(report.sweep.temperatures))].sort((a, b) => a - b);
  const [width, bottom] = [300, 18 * all.length + 8];
  const most = Math.max(2, spans.at(-1).to);
  const x = (k) => 50 + (Math.log(k) / Math.log(most)) * (width - 72);
  const y = (temperature) => bottom - 14 - 18 * all.indexOf(temperature);
  const level = (temperature, x1, x2, name) =>
    el("line", { x1, x2, y1: y(temperature), y2: y(temperature), class: name });
  return el(
    "svg",
    {
      viewBox: `0 0 ${width} ${bottom + 22}`,
      class: "chart steps",
      role: "img",
      "aria-label": "Best temperature against k; the values stand in the table beside",
    },
    all.map((temperature) => [
      level(temperature, 40, width - 12, "rule"),
      el("text", { x: 34, y: y(temperature) + 4, "text-anchor": "end" }, String(temperature)),
    ]),
    spans.map(({ temperature, from, to }) => level(temperature, x(from) - 3, x(to) + 3, "step")),
    [1, most].map((k) => el("text", { x: x(k), y: bottom + 14, "text-anchor": "middle" }, `k = ${k}`)),
  );
}
