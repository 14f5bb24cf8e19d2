/* The page: its sections in order. A section appears where `has` finds its data. */

const SECTIONS = [
  { id: "results", title: "Results", has: () => true, draw: resultsSection },
  { id: "curves", title: "Curves", has: () => true, draw: curvesSection },
  { id: "pseudo-labels", title: "Pseudo-labels", has: () => pseudoRuns().length > 0, draw: pseudoSection },
  { id: "calibration", title: "Calibration", has: () => calibrated().length > 0, draw: calibrationSection },
  { id: "confusion", title: "Confusion matrix", has: () => true, draw: confusionSection },
  { id: "classes", title: "Classes", has: () => confused().length > 0, draw: classesSection },
  { id: "maps", title: "Class activation maps", has: () => true, draw: gallerySection },
  { id: "views", title: "Strong views", has: () => viewed().length > 0, draw: viewsSection },
  { id: "mistakes", title: "Worst mistakes", has: () => mistaken().length > 0, draw: mistakesSection },
  { id: "configuration", title: "Configuration", has: () => true, draw: settingsSection },
];

function drawPage() {
  const sections = SECTIONS.filter(section => section.has());
  const lead = report.runs.length === 1 ? leadOfOne(report.runs[0]) : [el("p", { class: "lead" }, verdict())];
  const drawn = sections.map(({ id, title, draw }) =>
    el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title" }, title), draw()));
  document.getElementById("head").append(...[lead].flat(), el("nav", { "aria-label": "Sections" },
    sections.map(({ id, title }) => el("a", { href: "#" + id }, title))));
  document.getElementById("main").replaceChildren(...drawn);
  document.getElementById("foot").append(`Made by camcl ${report.camcl}.`);
}

drawPage();
