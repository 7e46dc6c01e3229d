// A network that grows, step by step: states recorded in Python, drawn by the reader's browser.

class Growth {
  constructor(root, data) {
    this.data = data;
    this.root = root;
    this.at = data.states.length - 1;
    this.timer = 0;
    this.build();
    this.show(this.at);
  }

  build() {
    const { data, root } = this;
    const stage = element("svg", root, { viewBox: "0 0 600 360", role: "img", "aria-label": data.label });
    this.inputs = element("g", stage, { class: "gr-inputs" });
    this.dots = data.inputs.map(([x, y]) => element("circle", this.inputs, { cx: x, cy: y, r: 2.2 }));
    this.edges = element("g", stage, { class: "gr-edges" });
    this.nodes = element("g", stage, { class: "gr-nodes" });
    this.input = element("circle", stage, { class: "gr-input", r: 6 });
    const line = element("div", root, { class: "gr-line" });
    this.play = element("button", line, { type: "button" }, "Play");
    const back = element("button", line, { type: "button", "aria-label": "one state back" }, "\u2190");
    const on = element("button", line, { type: "button", "aria-label": "one state on" }, "\u2192");
    this.slider = element("input", line, { type: "range", min: 0, max: data.states.length - 1, step: 1, "aria-label": "state of the network" });
    this.told = element("p", root, { class: "gr-told" });
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    back.addEventListener("click", () => this.move(-1));
    on.addEventListener("click", () => this.move(1));
    this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
  }

  start() {
    if (this.at === this.data.states.length - 1) this.at = 0;
    this.play.textContent = "Pause";
    this.timer = setInterval(() => {
      if (this.at >= this.data.states.length - 1) this.stop();
      else this.show(this.at + 1);
    }, 160);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
  }

  move(by) {
    this.stop();
    this.show(Math.min(this.data.states.length - 1, Math.max(0, this.at + by)));
  }

  show(at) {
    this.at = at;
    const { step, nodes, edges, winner, inserted, activity } = this.data.states[at];
    this.dots.forEach((dot, k) => dot.setAttribute("opacity", k < step ? 0.75 : 0.12));
    const [x, y] = this.data.inputs[step - 1];
    this.input.setAttribute("cx", x);
    this.input.setAttribute("cy", y);
    this.edges.replaceChildren();
    for (const [i, j] of edges) element("line", this.edges, { x1: nodes[i][0], y1: nodes[i][1], x2: nodes[j][0], y2: nodes[j][1] });
    this.nodes.replaceChildren();
    nodes.forEach(([cx, cy, fresh], k) => {
      const born = inserted && k === nodes.length - 1;
      const kind = born ? "gr-born" : k === winner ? "gr-winner" : "gr-node";
      element("circle", this.nodes, { cx, cy, r: 5 + 4 * fresh, class: kind, "fill-opacity": 0.65 + 0.35 * fresh });
    });
    const did = inserted ? "a node is born" : "the winner and its neighbours move";
    this.told.textContent = `Input ${step} of ${this.data.inputs.length}: ${nodes.length} nodes, ${edges.length} edges; activity ${activity.toFixed(2)}; ${did}.`;
    this.slider.value = at;
    this.slider.setAttribute("aria-valuetext", this.told.textContent);
  }
}

for (const root of document.querySelectorAll(".growth:not([data-built])")) {
  root.dataset.built = "yes";
  new Growth(root, JSON.parse(root.querySelector('script[type="application/json"]').textContent));
}
