// Faces of a plane that follow a metric loss, step by step; all is computed by the reader's browser.

const add = (a, b, by = 1) => [a[0] + by * b[0], a[1] + by * b[1]];
const away = (a, b) => [a[0] - b[0], a[1] - b[1]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const size = (a) => Math.hypot(a[0], a[1]);
const nought = (rows) => rows.map(() => [0, 0]);
const scaled = (a, by) => [a[0] * by, a[1] * by];

function means(points, owner, count) {
  const sums = Array.from({ length: count }, () => [0, 0]);
  const members = new Array(count).fill(0);
  points.forEach((x, i) => { sums[owner[i]] = add(sums[owner[i]], x); members[owner[i]] += 1; });
  return { middles: sums.map((s, k) => scaled(s, 1 / Math.max(1, members[k]))), members };
}

// Wen's step of the centers: the sum of c - x over 1 + the faces that each has.
function follow(points, nearest, centers) {
  const sums = nought(centers);
  const members = centers.map(() => 0);
  points.forEach((x, i) => { sums[nearest[i]] = add(sums[nearest[i]], away(centers[nearest[i]], x)); members[nearest[i]] += 1; });
  return sums.map((s, j) => scaled(s, 1 / (1 + members[j])));
}

function angles(centers, weight) {
  const units = centers.map((c) => scaled(c, 1 / size(c)));
  return centers.map((c, j) => {
    const others = units.reduce((sum, u, k) => (k === j ? sum : add(sum, u)), [0, 0]);
    return scaled(add(others, units[j], -dot(others, units[j])), weight / (centers.length - 1) / size(c));
  });
}

function distances(centers, weight, margin) {
  return centers.map((c, j) => {
    let push = [0, 0];
    centers.forEach((other, k) => {
      const apart = size(away(c, other));
      if (k !== j && apart > 0) push = add(push, away(c, other), -2 * Math.max(0, margin - apart) / apart);
    });
    return scaled(push, weight / (centers.length - 1));
  });
}

function together(centers, each, weight, margin) {
  return centers.map((c, j) => {
    let push = [0, 0];
    centers.forEach((other, k) => {
      const apart = size(away(c, other));
      if (k !== j && Math.floor(k / each) === Math.floor(j / each) && apart > 0) push = add(push, away(c, other), 2 * Math.max(0, apart - margin) / apart);
    });
    return scaled(push, weight / (each - 1));
  });
}

// Each returns the gradient of every face, and the step of the centers before it is multiplied by alpha.
const LOSSES = {
  center({ points, centers, labels }) {
    return { pull: points.map((x, i) => away(x, centers[labels[i]])), step: follow(points, labels, centers) };
  },
  center_local({ points, labels, classes }) {
    const { middles } = means(points, labels, classes);
    return { pull: points.map((x, i) => away(x, middles[labels[i]])), step: [] };
  },
  va_center({ points, labels, classes, weights }) {
    const { middles, members } = means(points, labels, classes);
    const heavy = points.map((x, i) => scaled(away(x, middles[labels[i]]), weights[i]));
    const sums = means(heavy, labels, classes).middles;
    return { pull: heavy.map((h, i) => (members[labels[i]] ? away(h, sums[labels[i]]) : h)), step: [] };
  },
  island(state, { weight, margin }) {
    const found = LOSSES.center(state);
    const push = margin === undefined ? angles(state.centers, weight) : distances(state.centers, weight, margin);
    return { pull: found.pull, step: found.step.map((s, j) => add(s, push[j])) };
  },
  subclass({ points, centers, labels, each }, { weight, margin }) {
    const nearest = points.map((x, i) => {
      let best = labels[i] * each;
      for (let k = best + 1; k < (labels[i] + 1) * each; k += 1) if (size(away(x, centers[k])) < size(away(x, centers[best]))) best = k;
      return best;
    });
    let step = follow(points, nearest, centers);
    if (margin !== undefined) step = step.map((s, j) => add(s, together(centers, each, weight, margin)[j]));
    return { pull: points.map((x, i) => away(x, centers[nearest[i]])), step };
  },
  pairs({ points, labels }, { margin }) {
    const alike = [], others = [];
    for (let i = 0; i < points.length; i += 1) for (let j = i + 1; j < points.length; j += 1) (labels[i] === labels[j] ? alike : others).push([i, j]);
    const pull = nought(points);
    const push = (i, j, by) => { const d = away(points[i], points[j]); pull[i] = add(pull[i], d, by); pull[j] = add(pull[j], d, -by); };
    for (const [i, j] of alike) push(i, j, points.length / alike.length);
    for (const [i, j] of others) {
      const apart = size(away(points[i], points[j]));
      if (apart > 0) push(i, j, (-Math.max(0, margin - apart) / apart) * (points.length / others.length));
    }
    return { pull, step: [] };
  },
};

// Cross-entropy of a linear classifier without biases: gradients of the faces and of its weights.
function entropy(points, labels, reader) {
  const pull = nought(points), step = nought(reader);
  points.forEach((x, i) => {
    const logits = reader.map((w) => dot(w, x));
    const top = Math.max(...logits);
    const raised = logits.map((l) => Math.exp(l - top));
    const total = raised.reduce((a, b) => a + b);
    raised.forEach((r, k) => {
      const wrong = r / total - (labels[i] === k ? 1 : 0);
      pull[i] = add(pull[i], reader[k], wrong);
      step[k] = add(step[k], x, wrong);
    });
  });
  return { pull, step };
}

class Pulling {
  constructor(root, data) {
    Object.assign(this, { root, data, timer: 0, lambda: 1, entropy: false });
    this.build();
    this.choose(data.first);
  }

  choose(name) {
    this.recipe = this.data.recipes.find((one) => one.name === name);
    this.options = { ...this.recipe.options };
    this.picker.value = name;
    const margin = this.options.margin !== undefined;
    this.margin.parentElement.hidden = !margin;
    if (margin) this.set(this.margin, this.options.margin);
    this.restart();
  }

  restart() {
    this.stop();
    const { data } = this;
    const start = this.recipe.kind === "subclass" ? data.subcenters : this.recipe.kind === "center" || this.recipe.kind === "island" ? data.centers : [];
    Object.assign(this, { points: data.points, centers: start, reader: data.reader, at: 0, trails: data.points.map((x) => [x]) });
    this.show();
  }

  step() {
    const { data, recipe } = this;
    const state = { points: this.points, centers: this.centers, labels: data.labels, classes: data.classes.length, each: data.each, weights: data.weights };
    const { pull, step } = LOSSES[recipe.kind](state, this.options);
    let force = pull.map((p) => scaled(p, -this.lambda));
    if (this.entropy) {
      const other = entropy(this.points, data.labels, this.reader);
      force = force.map((f, i) => add(f, other.pull[i], -1));
      this.reader = this.reader.map((w, k) => add(w, other.step[k], -recipe.rate));
    }
    this.points = this.points.map((x, i) => add(x, force[i], recipe.rate));
    this.centers = this.centers.map((c, j) => add(c, step[j], -data.alpha));
    this.at += 1;
    this.trails.forEach((trail, i) => { trail.push(this.points[i]); });
  }

  spread(points) {
    const { middles, members } = means(points, this.data.labels, this.data.classes.length);
    const all = scaled(points.reduce((sum, x) => add(sum, x)), 1 / points.length);
    const square = (a) => dot(a, a);
    const within = points.reduce((sum, x, i) => sum + square(away(x, middles[this.data.labels[i]])), 0) / points.length;
    const between = middles.reduce((sum, c, k) => sum + members[k] * square(away(c, all)), 0) / points.length;
    return { within, between };
  }

  build() {
    const { data, root } = this;
    const top = element("div", root, { class: "pu-line" });
    const label = element("label", top, {}, "Loss ");
    this.picker = element("select", label);
    for (const one of data.recipes) element("option", this.picker, { value: one.name }, one.title);
    const with_entropy = element("label", top);
    this.box = element("input", with_entropy, { type: "checkbox" });
    with_entropy.append(" with cross-entropy");
    this.stage = element("svg", root, { viewBox: "-420 -320 840 640", role: "img" });
    this.layers = Object.fromEntries(["trails", "centers", "faces"].map((name) => [name, element("g", this.stage, { class: `pu-${name}` })]));
    this.legend();
    const play = element("div", root, { class: "pu-line" });
    this.play = element("button", play, { type: "button" }, "Play");
    const one = element("button", play, { type: "button" }, "One step");
    const back = element("button", play, { type: "button" }, "Start again");
    this.strength = this.slider(play, "\u03bb", 0, 2, 0.05, 1);
    this.margin = this.slider(play, "margin", 0.5, 6, 0.1, 1);
    this.told = element("p", root, { class: "pu-told", role: "status" });
    this.picker.addEventListener("change", () => this.choose(this.picker.value));
    this.box.addEventListener("change", () => { this.entropy = this.box.checked; this.restart(); });
    this.strength.addEventListener("input", () => { this.lambda = Number(this.strength.value); this.name(this.strength); });
    this.margin.addEventListener("input", () => { this.options.margin = Number(this.margin.value); this.name(this.margin); });
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    one.addEventListener("click", () => { this.stop(); this.step(); this.show(); });
    back.addEventListener("click", () => this.restart());
  }

  legend() {
    const line = element("p", this.root, { class: "pu-legend" });
    this.data.classes.forEach((name, k) => {
      const item = element("span", line, { class: `pu-class-${k}` });
      element("path", element("svg", item, { viewBox: "-12 -12 24 24", "aria-hidden": "true" }), { d: this.mark(k, 8) });
      item.append(name);
    });
    element("span", line, {}, "large squares: learned centers");
  }

  slider(parent, text, min, max, step, value) {
    const label = element("label", parent);
    const words = element("span", label);
    const made = element("input", label, { type: "range", min, max, step, "aria-label": text });
    Object.assign(made, { words, text });
    this.set(made, value);
    return made;
  }

  set(slider, value) { slider.value = value; this.name(slider); }

  name(slider) { slider.words.textContent = `${slider.text} ${Number(slider.value).toFixed(2)}`; }

  start() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      for (let k = 0; k < 30; k += 1) this.step();
      this.show();
      return;
    }
    this.play.textContent = "Pause";
    this.told.setAttribute("aria-live", "off");
    let left = 150;
    this.timer = setInterval(() => { this.step(); this.show(); left -= 1; if (!left) this.stop(); }, 70);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
    if (!this.told) return;
    this.told.setAttribute("aria-live", "polite");
  }

  mark(k, r) {
    if (k === 0) return `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`;
    if (k === 1) return `M0 ${-1.2 * r}L${1.1 * r} ${0.8 * r}L${-1.1 * r} ${0.8 * r}Z`;
    return `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0Z`;
  }

  show() {
    const { trails, centers, faces } = this.layers;
    const { labels, classes, weights, each } = this.data;
    const place = ([x, y]) => [(100 * x).toFixed(1), (-100 * y).toFixed(1)];
    for (const layer of [trails, centers, faces]) layer.replaceChildren();
    this.trails.forEach((trail, i) => element("polyline", trails, { class: `pu-class-${labels[i]}`, points: trail.map((x) => place(x).join(",")).join(" ") }));
    this.centers.forEach((c, j) => {
      const [x, y] = place(c);
      element("path", centers, { class: `pu-class-${Math.floor(j / (this.recipe.kind === "subclass" ? each : 1))}`, d: "M-13 -13H13V13H-13Z", transform: `translate(${x} ${y})` });
    });
    const heaviest = Math.max(...weights);
    this.points.forEach((x, i) => {
      const r = this.recipe.kind === "va_center" ? 4 + 7 * (weights[i] / heaviest) ** 2 : 9;
      element("path", faces, { class: `pu-class-${labels[i]}`, d: this.mark(labels[i], r), transform: `translate(${place(x).join(" ")})` });
    });
    const now = this.spread(this.points), then = this.spread(this.data.points);
    const share = ({ within, between }) => `${Math.round((100 * between) / (within + between))} %`;
    this.told.textContent = `Step ${this.at}: spread within classes ${now.within.toFixed(2)} (at first ${then.within.toFixed(2)}), between them ${now.between.toFixed(2)} (${then.between.toFixed(2)}); between is ${share(now)} of all (${share(then)}).`;
    this.stage.setAttribute("aria-label", `${classes.length} classes of faces in a plane under the loss ${this.recipe.title}. ${this.told.textContent}`);
  }
}

for (const root of document.querySelectorAll(".pulling:not([data-built])")) {
  root.dataset.built = "yes";
  root.pulling = new Pulling(root, JSON.parse(root.querySelector('script[type="application/json"]').textContent));
}
