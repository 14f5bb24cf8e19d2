/* Which columns of metrics.csv are drawn, and where. Columns that are not named here get a chart of their own. */

/* A chart of one run: columns with their names there, colours and, where what the program says of a column is not enough, what a chart of
 * the column alone says. Several runs are compared in a chart per column, in the same order. Colours: 0 validation, 1 labelled training
 * images, 2 unlabelled images, 3 what is said of their pseudo-labels. */
const PLOTS = [
  { title: "Accuracy", about: "Share of images classified correctly.", percent: true,
    columns: [["val_top1", "validation", 0, "Share of validation images classified correctly."],
      ["train_top1", "training, augmented", 1]] },
  { title: "Loss", about: "Cross-entropy.", fromZero: true,
    columns: [["val_loss", "validation", 0, "Cross-entropy on validation images."],
      ["loss_s", "labelled", 1], ["loss_u", "unlabelled", 2]] },
  { title: "Calibration error", about: "Mean distance of confidence from accuracy on validation images, over 15 bins of confidence.",
    percent: true, fromZero: true, columns: [["val_ece", "validation", 0,
      "Mean distance of confidence from accuracy on validation images, over 15 bins of confidence."]] },
  { title: "CAM consistency loss", about: "Mean squared difference between the Grad-CAMs of two views.", fromZero: true,
    columns: [["loss_c", "CAM consistency", 2]] },
  { title: "Pseudo-labels", about: "Share of unlabelled images above the threshold, and how many of these pseudo-labels are right.",
    percent: true, fromZero: true, columns: [["mask_rate", "above the threshold", 2], ["pseudo_acc", "right", 3]] },
  { title: "Learning rate", about: "After warm-up and schedule.", fromZero: true,
    columns: [["lr", "learning rate", 1, "After warm-up and schedule."]] },
  { title: "Speed", about: "Training images per second.", fromZero: true, columns: [["images_per_s", "images/s", 1]] },
];

/* Columns that are no curve: the weighted sum of losses that are drawn, what follows from the configuration or from the steps, and
 * accuracies that run along with top-1. */
const UNDRAWN = ["loss", "threshold", "seconds", "val_top3", "val_top5"];
const FROM_LOWEST = ["val_top1", "train_top1", "pseudo_acc"]; /* alone in a chart; other columns begin at zero */

function pointsOf(run, column) {
  const c = run.curves;
  return c.step.map((step, i) => ({ step, epoch: c.epoch[i], seconds: c.seconds ? c.seconds[i] : null, value: c[column][i] }));
}

/* The mean over the runs of a group, at the steps that all of them have. */
function meanOf(lists) {
  const rest = lists.slice(1).map(points => new Map(points.map(p => [p.step, p])));
  return lists[0].flatMap(first => {
    const same = [first, ...rest.map(map => map.get(first.step))];
    if (!same.every(p => p && known(p.value))) return [];
    const mean = key => same.every(p => known(p[key])) ? same.reduce((sum, p) => sum + p[key], 0) / same.length : null;
    return [{ step: first.step, epoch: first.epoch, seconds: mean("seconds"), value: mean("value") }];
  });
}

function plotOfOne(plot, run) {
  const series = plot.columns.filter(([column]) => run.curves[column]).map(([column, name, color]) =>
    ({ name, color, points: pointsOf(run, column), best: column === "val_top1" && known(run.best.epoch) ? run.best.epoch : undefined }));
  return { ...plot, series, oneRun: true };
}

function aboutColumn({ name, about }) {
  const listed = PLOTS.flatMap(plot => plot.columns).find(([column]) => column === name);
  return listed && listed[3] ? listed[3] : about ? `${about[0].toUpperCase()}${about.slice(1)}.` : "";
}

function plotOfColumn(column) {
  const about = report.columns.find(c => c.name === column), series = [];
  report.groups.forEach((group, g) => {
    const runs = group.runs.map(r => report.runs[r]).filter(run => run.curves[column]), grouped = runs.length > 1;
    const lists = runs.map(run => pointsOf(run, column));
    runs.forEach((run, i) => series.push({ name: run.name, color: g, points: lists[i], thin: grouped }));
    if (grouped) series.push({ name: `${group.name} (mean)`, color: g, points: meanOf(lists), mean: true });
  });
  return { title: about.label, about: aboutColumn(about), percent: about.percent, fromZero: !FROM_LOWEST.includes(column), series,
    oneRun: report.runs.length === 1 };
}

function chartsOfReport() {
  const named = PLOTS.flatMap(plot => plot.columns.map(([column]) => column));
  const further = report.columns.map(c => c.name).filter(name => !named.includes(name) && !UNDRAWN.includes(name));
  const single = report.runs.length === 1 ? report.runs[0] : null;
  const charts = single ? PLOTS.map(plot => plotOfOne(plot, single)) :
    named.filter(name => report.columns.some(c => c.name === name)).map(plotOfColumn);
  return [...charts, ...further.map(plotOfColumn)].filter(chart => chart.series.some(s => s.points.some(p => known(p.value))));
}

function axisSwitch(charts) {
  const choice = (value, text) => {
    const input = el("input", { type: "radio", name: "axis", value, checked: value === "step" });
    input.addEventListener("change", () => charts.forEach(chart => chart.draw(value)));
    return el("label", null, input, text);
  };
  return el("fieldset", { class: "switch" }, el("legend", null, "Horizontal axis"), choice("step", "steps"), choice("time", "time"));
}

function groupLegend() {
  const several = report.groups.some(group => group.runs.length > 1);
  return [legend(report.groups.map((group, g) => [g, group.runs.length > 1 ? `${group.name} (${group.runs.length} seeds)` : group.name])),
    several ? el("p", { class: "note" }, "Thick: the mean over seeds. Thin: each seed.") : null];
}

function curvesSection() {
  const charts = chartsOfReport().map(drawChart);
  if (charts.length === 0) return [el("p", null, "No curves: metrics.csv is missing or has no rows.")];
  const timed = report.runs.some(run => (run.curves.seconds || []).some(known));
  return [timed ? axisSwitch(charts) : null, report.runs.length > 1 ? groupLegend() : null,
    el("div", { class: "charts" }, charts.map(chart => chart.node))];
}
