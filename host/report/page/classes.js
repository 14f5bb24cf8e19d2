/* Precision and recall of each class, in a table that can be sorted. */

/* Groups with the classes of the first, each with the mean over its seeds. */
function classGroups() {
  const first = confused()[0], same = run => run.confusion && run.confusion.classes.join("\n") === first.confusion.classes.join("\n");
  return report.groups.map((group, g) => ({ group, g, runs: group.runs.map(r => report.runs[r]).filter(same) }))
    .filter(x => x.runs.length > 0);
}

function meanOfRuns(runs, what, c) {
  const values = runs.map(run => run.confusion[what][c]).filter(known);
  return values.length > 0 ? sum(values) / values.length : null;
}

/* A share with its interval below, which a mean over seeds has not. */
function shareCell(runs, what, c) {
  const { counts } = runs[0].confusion, of = what === "recall" ? sum(counts[c]) : sum(counts.map(row => row[c]));
  const mean = meanOfRuns(runs, what, c);
  return withLine(percent(mean), runs.length === 1 ? fromTo(wilson(mean, of), 0) : "");
}

function classesSection() {
  const groups = classGroups(), first = confused()[0].confusion, several = groups.some(x => x.runs.length > 1);
  const figures = ["precision", "recall"].map(what => ({ what, text: what[0].toUpperCase() + what.slice(1), n: true }));
  const head = [{ text: "Class" }, { text: "Images", n: true }, ...groups.flatMap(() => figures)];
  const over = groups.length > 1 ? [["", 2], ...groups.map(({ group, g }) => [named(g, group.name), 2])] : null;
  const rows = first.classes.map((name, c) => ({
    cells: [name, count(sum(first.counts[c])), ...groups.flatMap(({ runs }) => figures.map(({ what }) => ({ text: shareCell(runs, what, c) })))],
    keys: [name, sum(first.counts[c]), ...groups.flatMap(({ runs }) => figures.map(({ what }) => meanOfRuns(runs, what, c)))],
  }));
  return [el("p", { class: "note" }, "Precision: of the test images predicted as the class, the share that is of it. Recall: of the " +
    "class's test images, the share that is predicted as it. Below each: its 95\u00a0% interval. A class that was never predicted has no " +
    "precision. A click on a head sorts." + (several ? " Several seeds: their mean." : "")),
  el("div", { class: "card pad fit" }, sortableTable("Precision and recall", "classes", head, rows, over))];
}
