// Two runs compared: the figures of the difference, and the problems that flipped, each a button to its samples.

function flips(open) {
  const { problems, gained, lost, p_value, pass_at_1, difference, notes } = report.comparison;
  const verdict = difference.low > 0 || difference.high < 0 ? "leaves out 0" : "holds 0: the difference may be chance";
  const flippedOf = `${gained.length + lost.length} of ${count(problems, "problem")} flipped`;
  return [
    el(
      "dl",
      { class: "cards" },
      card(
        "difference in pass@1",
        `${points(difference.value)} points`,
        `${points(difference.low)} to ${points(difference.high)}`,
      ),
      card("McNemar's exact test", p_value < 0.0001 ? "p < 0.0001" : `p = ${p_value.toPrecision(2)}`, flippedOf),
      card("pass@1", pass_at_1.map((value) => percent(value)).join(" → "), "A → B"),
    ),
    el(
      "ul",
      { class: "runs-key" },
      [0, 1].map((number) => el("li", {}, runName(number))),
    ),
    aside(
      `The interval (95 %, paired bootstrap over problems) ${verdict}. ` +
        "The test asks how often chance alone would flip problems so unevenly.",
    ),
    notesOf(notes),
    el(
      "div",
      { class: "flips" },
      twoByTwo(report.comparison),
      flipped(`▲ Only B passes: ${gained.length}`, "better", gained, open),
      flipped(`▼ Only A passes: ${lost.length}`, "worse", lost, open),
    ),
  ];
}

function twoByTwo({ both, neither, gained, lost }) {
  return el(
    "table",
    { class: "two-by-two" },
    el("caption", {}, "First sample of each problem"),
    headRow(["", "B passes", "B does not"]),
    el(
      "tbody",
      {},
      row("A passes", el("td", {}, both), el("td", { class: "worse" }, lost.length)),
      row("A does not", el("td", { class: "better" }, gained.length), el("td", {}, neither)),
    ),
  );
}

function flipped(heading, name, tasks, open) {
  const buttons = tasks.map((task) => {
    const onclick = () => open({ run: 1, task: taskNumber.get(task), position: 0 });
    return el("li", {}, el("button", { type: "button", title: plain(task), onclick }, shortName(task)));
  });
  const list = tasks.length ? el("ul", { class: "flip-list" }, buttons) : aside("none");
  return el("div", { class: name }, el("h3", {}, heading), list);
}
