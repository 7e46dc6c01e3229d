// The graph between expressions and affects: thresholded and weighted by the reader's browser.

const product = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));

class EmotionGraph {
  constructor(root, data) {
    this.names = data.names;
    this.size = data.size;
    this.count = data.names.length - 2;
    this.state = { ...data.start, mode: "paper" };
    this.build(root);
    this.show();
  }

  // eqs. 6.3.4 and 6.3.5: which edges there are, then how a node divides p among them
  adjacency() {
    const { tau, p, mode } = this.state;
    const n = this.names.length;
    const across = (i, j) => i < this.count !== j < this.count;
    const edges = this.size.map((row, i) => row.map((value, j) => across(i, j) && value >= tau));
    const weights = edges.map((row, i) => {
      const degree = row.filter(Boolean).length;
      return row.map((edge, j) => (i === j ? (degree ? 1 - p : 1) : edge ? p / degree : 0));
    });
    const turned = weights.map((row, i) => row.map((_, j) => weights[j][i]));
    return { edges, weights: mode === "paper" ? weights : turned, n };
  }

  power() {
    const { weights } = this.adjacency();
    let found = weights;
    for (let k = 1; k < this.state.layers; k += 1) found = product(weights, found);
    return found;
  }

  // mean cosine between the rows of all pairs of expressions
  alike(rows) {
    const cosine = (a, b) => {
      const dot = (x, y) => x.reduce((sum, value, k) => sum + value * y[k], 0);
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    };
    let sum = 0;
    let pairs = 0;
    for (let i = 0; i < this.count; i += 1) for (let j = i + 1; j < this.count; j += 1) { sum += cosine(rows[i], rows[j]); pairs += 1; }
    return sum / pairs;
  }

  build(root) {
    const controls = element("div", root, { class: "eg-controls" });
    const slider = (name, label, low, high, step, digits) => {
      const box = element("label", controls, {}, label);
      const input = element("input", box, { type: "range", min: low, max: high, step, value: this.state[name], "aria-label": label });
      const output = element("output", box);
      const told = () => { output.textContent = this.state[name].toFixed(digits); };
      input.addEventListener("input", () => { this.state[name] = Number(input.value); told(); this.show(); });
      told();
    };
    slider("tau", "tau, the least correlation of an edge", 0, 1, 0.01, 2);
    slider("p", "p, what goes to the neighbours", 0, 1, 0.05, 2);
    slider("layers", "layers, how often it is applied", 1, 8, 1, 0);
    const box = element("label", controls, {}, "matrix");
    const mode = element("select", box, { "aria-label": "which matrix is propagated" });
    element("option", mode, { value: "paper" }, "as printed: rows sum to 1");
    element("option", mode, { value: "code" }, "as programmed: its transpose");
    mode.addEventListener("change", () => { this.state.mode = mode.value; this.show(); });
    const parts = element("div", root, { class: "eg-parts" });
    this.stage = element("svg", parts, { viewBox: "0 0 250 300", role: "img" });
    const frame = element("div", parts, { class: "eg-frame", tabindex: 0, role: "region", "aria-label": "the matrix, which may scroll" });
    const table = element("table", frame);
    const head = element("tr", element("thead", table));
    element("td", head);
    this.names.forEach((name) => element("th", head, { scope: "col", title: name }, name.slice(0, 4)));
    const body = element("tbody", table);
    this.cells = this.names.map((name) => {
      const row = element("tr", body);
      element("th", row, { scope: "row" }, name);
      return this.names.map(() => element("td", row));
    });
    this.told = element("p", root, { class: "eg-told", "aria-live": "polite" });
  }

  show() {
    const { edges } = this.adjacency();
    const rows = this.power();
    this.last = { rows, alike: this.alike(rows) };
    rows.forEach((row, i) => row.forEach((value, j) => {
      const cell = this.cells[i][j];
      cell.textContent = value < 0.005 ? "" : value.toFixed(2).replace(/^0/, "");
      cell.style.setProperty("--eg-share", `${Math.round(100 * Math.min(1, value))}%`);
      cell.className = value > 0.55 ? "eg-strong" : "";
    }));
    this.draw(edges);
    const between = edges.slice(0, this.count).flat().filter(Boolean).length;
    const alone = this.names.filter((_, i) => !edges[i].some(Boolean));
    const times = this.state.layers > 1 ? `After ${this.state.layers} layers` : "After one layer";
    this.told.textContent = `${between} of ${2 * this.count} edges; ${alone.length ? `alone: ${alone.join(", ")}` : "nobody is alone"}. `
      + `${times}, two expressions take in the same to a mean cosine of ${this.last.alike.toFixed(3)} (1: they cannot be told apart).`;
  }

  draw(edges) {
    const places = this.names.map((_, i) => (i < this.count ? [82, 18 + (i * 264) / Math.max(1, this.count - 1)] : [178, i === this.count ? 100 : 200]));
    this.stage.replaceChildren();
    this.stage.setAttribute("aria-label", "Expressions on the left, valence and arousal on the right, lines where they correlate.");
    edges.forEach((row, i) => row.forEach((edge, j) => {
      if (!edge || j < i) return;
      element("line", this.stage, { x1: places[i][0], y1: places[i][1], x2: places[j][0], y2: places[j][1], "stroke-width": 0.8 + 6 * this.size[i][j] });
    }));
    places.forEach(([cx, cy], i) => {
      const left = i < this.count;
      element("circle", this.stage, { cx, cy, r: 6, class: edges[i].some(Boolean) ? "eg-node" : "eg-node eg-alone" });
      element("text", this.stage, { x: left ? cx - 11 : cx + 11, y: cy + 4, "text-anchor": left ? "end" : "start" }, this.names[i]);
    });
  }
}

for (const root of document.querySelectorAll(".emotion-graph:not([data-built])")) {
  root.dataset.built = "yes";
  root.graph = new EmotionGraph(root, JSON.parse(root.querySelector('script[type="application/json"]').textContent));
}
