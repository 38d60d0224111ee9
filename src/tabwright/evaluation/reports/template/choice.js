// Codex's four ways to choose one of a problem's samples: what each scores, and how that grows with the samples.

const RANKINGS = {
  random: ["at random", "the mean of the samples; what one draw gives"],
  mean_logprob: ["highest mean log-probability", "per token"],
  sum_logprob: ["highest sum of log-probabilities", "favours short samples"],
  oracle: ["by the tests themselves", "the upper bound: any sample passes"],
};
const valueOf = (run, ranking) => {
  const value = run.report.rankings[ranking];
  return value === null ? "not known" : percent(value);
};

function choiceNote(run) {
  const { fewest, most } = run.report;
  if (MOST < 2) return "Codex's four ways to choose one of a problem's samples. With one of each there is no choice.";
  const n = `${fewest === most ? "" : "up to "}${most} samples`;
  return `Codex's four ways to choose one of a problem's ${n} without running them. Ties are broken at random.`;
}

/** What each ranking would score: of the runs given, side by side where there is nothing to choose from. */
function choices(numbers) {
  const several = numbers.length > 1;
  if (MOST > 1) {
    return numbers.map((number) => [
      several && el("h3", {}, runName(number)),
      el("div", { class: "choice" }, choice(RUNS[number])),
    ]);
  }
  const rows = Object.entries(RANKINGS).map(([ranking, [name]]) =>
    row(
      name,
      numbers.map((number) => el("td", {}, valueOf(RUNS[number], ranking))),
    ),
  );
  return el("table", {}, several && headRow(["", ...numbers.map(letter)]), el("tbody", {}, rows));
}

function choice(run) {
  const rows = Object.entries(RANKINGS).map(([ranking, [name, explained]]) =>
    row(
      [name, el("small", {}, explained)],
      el("td", {}, bar(run.report.rankings[ranking])),
      el("td", {}, valueOf(run, ranking)),
    ),
  );
  const table = el("table", { class: "rankings" }, el("tbody", {}, rows));
  if (run.report.fewest < 2) return table;
  const ks = run.report.curve.map(([k]) => k);
  const series = Object.entries(RANKINGS)
    .filter(([ranking]) => run.report.rankings_at[ranking])
    .map(([ranking, [name]]) => ({
      name,
      points: run.report.rankings_at[ranking].map((value, i) => [ks[i], value]),
    }));
  const title = "Share of problems that pass when one of k samples is chosen; the values stand in the table below";
  return [table, lineChart({ series, title, start: ks.at(-1) })];
}

function bar(value) {
  if (value === null) return null;
  const line = el("i", { class: "bar" });
  line.style.width = `${100 * value}%`;
  return line;
}
