/* Strong views as the network sees them in training, and whether its map moves with the image: the paper's figure (arXiv 2108.13673). */

/* Of several seeds, the first. */
const hasViews = shown => OF_VIEWS.every(name => shown.parts.some(({ part }) => part === name));
const isFirst = shown => report.groups[groupOf[shown.run]].runs[0] === shown.run;
const viewed = () => report.gallery.map(entry => ({ entry, runs: entry.runs.filter(shown => isFirst(shown) && hasViews(shown)) }))
  .filter(({ runs }) => runs.length > 0);

const VIEW_TEXTS = { weak: "weak view, its map", seen: "strong view", strong: "strong view, its map", target: "target" };

function viewsRow(entry, shown) {
  const name = report.runs[shown.run].name, several = report.runs.length > 1;
  const part = wanted => shown.parts.find(one => one.part === wanted);
  const alt = wanted => `${VIEW_TEXTS[wanted]}: ${titleOf(entry)}, of ${name}`;
  return el("div", { class: "view" },
    el("div", { class: "says" }, several ? named(colorOf(shown.run), name) : null,
      shown.explained ? el("span", null, el("small", null, "explains "), shown.explained) : null,
      known(shown.distance) ? el("span", null, el("small", null, "difference "), fixed(shown.distance, 4)) : null),
    el("div", { class: "own" }, OF_VIEWS.map(wanted => figureOf(part(wanted), alt(wanted), VIEW_TEXTS[wanted]))));
}

function viewsCard({ entry, runs }) {
  return el("article", { class: "card image" }, el("h3", null, entry.class || imageName(entry),
    entry.class ? el("small", null, ` · ${imageName(entry).toLowerCase()}`) : null), runs.map(shown => viewsRow(entry, shown)));
}

function viewsSection() {
  return [el("p", { class: "note" }, "A strong view is the weak view, cropped, turned or otherwise changed. The target is the weak view's " +
    "map, moved in the same way. Grad-CAM consistency asks that the strong view's own map be the target: the last two pictures of a row " +
    "should be alike. The difference is their mean squared distance over the pixels that both views show, 0\u00a0to\u00a01." +
    (report.groups.some(group => group.runs.length > 1) ? " Of several seeds, the first." : "")),
  ramp(), el("div", { class: "views" }, viewed().map(viewsCard))];
}
