// The laboratory's controls: people, emotions, action units, pose, and the valence-arousal plane.

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

class Laboratory {
  constructor(root, data) {
    this.data = data;
    this.root = root;
    this.run = makeFace(data.steps, data.program);
    this.person = 0;
    this.units = data.units.map(() => [0, 0]);
    this.angles = [0, 0, 0];
    this.sides = [0, 1];
    this.build();
    this.show(1, 1);
  }

  // ---- what is drawn ----------------------------------------------------------------------------------------

  /** Curves and levels of the face as it stands. */
  outcome() {
    return this.run([...this.data.people[this.person].traits, ...this.units.flat()], this.angles);
  }

  refresh() {
    const { points, levels, affect } = (this.last = this.outcome());
    this.picture.draw(points, levels, this.data.people[this.person]);
    const dots = points.landmarks.map((p) => ring(p, 1.45)).join("");
    this.picture.put("landmarks", dots, { fill: "#ffffff", stroke: "#14303a", strokeWidth: 0.6, display: this.dots.checked ? "inline" : "none" });
    this.picture.svg.append(this.picture.layers.landmarks);
    const [x, y] = [affect[0] * 100, -affect[1] * 100];
    this.dot.setAttribute("cx", x.toFixed(2));
    this.dot.setAttribute("cy", y.toFixed(2));
    const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
    this.reading.textContent = `valence ${signed(affect[0])}, arousal ${signed(affect[1])}`;
    this.sliders.forEach(({ input, output }, k) => {
      const [left, right] = this.units[k], value = this.sides.length === 1 ? this.units[k][this.sides[0]] : (left + right) / 2;
      if (document.activeElement !== input || Math.abs(input.value - value) > 0.006) input.value = value;
      output.textContent = Math.abs(left - right) < 0.005 ? left.toFixed(2) : `${left.toFixed(2)} | ${right.toFixed(2)}`;
      input.setAttribute("aria-valuetext", output.textContent);
      input.style.setProperty("--fill", `${100 * value}%`);
    });
    this.turns.forEach(({ input, output }, k) => {
      input.value = this.angles[k];
      output.textContent = `${Math.round(this.angles[k])}\u00b0`;
      input.setAttribute("aria-valuetext", output.textContent);
    });
  }

  /** Moves to new units; the movement takes a third of a second unless the reader asked for less motion. */
  moveTo(units, asked = null) {
    cancelAnimationFrame(this.frame);
    this.ask(asked);
    const from = this.units.map((pair) => [...pair]), start = performance.now(), last = calm() ? 0 : 320;
    const step = (now) => {
      const t = last ? clamp((now - start) / last) : 1, ease = t * t * (3 - 2 * t);
      this.units = from.map((pair, k) => pair.map((value, s) => value + (units[k][s] - value) * ease));
      this.refresh();
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    if (last) this.frame = requestAnimationFrame(step); else step(start);
  }

  ask(point) {
    this.ring.setAttribute("display", point ? "inline" : "none");
    if (point) {
      this.ring.setAttribute("cx", (100 * point[0]).toFixed(2));
      this.ring.setAttribute("cy", (-100 * point[1]).toFixed(2));
    }
    this.asked = point;
  }

  set(number, value, sides = [0, 1]) {
    const k = this.data.units.findIndex((unit) => unit.number === number);
    for (const s of this.data.units[k].sided ? sides : [0, 1]) this.units[k][s] = value;
    cancelAnimationFrame(this.frame);
    this.ask(null);
    this.mark(null);
    this.refresh();
  }

  /** An emotion's face: each press shows the next of its variants. */
  show(emotion, still = 0) {
    const { variants } = this.data.emotions[emotion];
    this.variant = this.emotion === emotion ? (this.variant + 1) % variants.length : 0;
    const strength = Number(this.strength.value);
    const units = this.data.units.map(() => [0, 0]);
    for (const [k, left, right] of variants[this.variant]) units[k] = [left * strength, right * strength];
    this.mark(emotion);
    if (still) { this.units = units; this.refresh(); } else this.moveTo(units);
  }

  mark(emotion) {
    this.emotion = emotion;
    this.words.forEach((button, k) => button.setAttribute("aria-pressed", String(k === emotion)));
  }

  /** The face whose affect is nearest to a point of the plane, blended from its neighbours in the table. */
  express([v, a]) {
    const reach = Math.max(1, Math.hypot(v, a)), want = [v / reach, a / reach];
    const near = this.data.plane
      .map((cell) => ({ cell, far: apart(cell.at, want) }))
      .sort((x, y) => x.far - y.far).slice(0, 4);
    const units = this.data.units.map(() => [0, 0]);
    const total = near.reduce((sum, { far }) => sum + 1 / (far + 0.01) ** 2, 0);
    for (const { cell, far } of near) {
      const share = 1 / (far + 0.01) ** 2 / total;
      for (let i = 0; i < cell.units.length; i += 2) {
        const k = cell.units[i], value = (share * cell.units[i + 1]) / 100;
        units[k] = [units[k][0] + value, units[k][1] + value];
      }
    }
    this.mark(null);
    this.moveTo(units, want);
  }

  // ---- what is touched --------------------------------------------------------------------------------------

  build() {
    const top = element("div", this.root, { class: "fl-top" });
    const stage = element("div", top, { class: "fl-stage" });
    this.picture = new FacePicture(stage, "A drawn face that follows the controls below");
    const side = element("div", top, { class: "fl-side" });
    this.buildPeople(stage);
    this.buildPlane(side);
    this.buildEmotions(side);
    const groups = element("div", this.root, { class: "fl-groups" });
    this.sliders = [];
    for (const group of [...new Set(this.data.units.map((unit) => unit.group))]) {
      const box = element("fieldset", groups);
      element("legend", box, {}, group);
      this.data.units.forEach((unit, k) => {
        if (unit.group === group) this.sliders[k] = this.slider(box, `${unit.number} ${unit.name}`, [0, 1, 0.01], (value) => this.set(unit.number, value, this.sides));
      });
    }
    const box = element("fieldset", groups);
    element("legend", box, {}, "Head");
    this.turns = this.data.angles.map(({ name, reach }, k) =>
      this.slider(box, name, [-reach, reach, 1], (value) => { this.angles[k] = value; this.refresh(); }));
    this.buildSides(box);
  }

  slider(parent, name, [low, high, step], moved) {
    const label = element("label", parent, { class: "fl-slider" });
    element("span", label, {}, name);
    const output = element("output", label);
    const input = element("input", label, { type: "range", min: low, max: high, step, value: 0, "aria-label": name });
    input.addEventListener("input", () => moved(Number(input.value)));
    return { input, output };
  }

  buildSides(parent) {
    const line = element("label", parent, { class: "fl-line" });
    element("span", line, {}, "Units move");
    const choice = element("select", line, { "aria-label": "Which side the action units move" });
    [["both sides", [0, 1]], ["the left of the picture", [0]], ["the right of the picture", [1]]].forEach(([name, sides], k) => {
      element("option", choice, { value: k }, name);
      choice.options[k].sides = sides;
    });
    choice.addEventListener("change", () => { this.sides = choice.selectedOptions[0].sides; this.refresh(); });
    const dots = element("label", parent, { class: "fl-line" });
    this.dots = element("input", dots, { type: "checkbox" });
    element("span", dots, {}, "68 landmarks");
    this.dots.addEventListener("change", () => this.refresh());
    const again = element("button", parent, { type: "button", class: "fl-rest" }, "At rest");
    again.addEventListener("click", () => { this.angles = [0, 0, 0]; this.mark(null); this.moveTo(this.data.units.map(() => [0, 0])); });
  }

  buildPeople(parent) {
    const people = element("div", parent, { class: "fl-people", role: "group", "aria-label": "Person" });
    this.faces = this.data.people.map((person, k) => {
      const button = element("button", people, { type: "button", "aria-pressed": String(!k), title: person.who }, person.name);
      button.addEventListener("click", () => this.choose(k));
      return button;
    });
  }

  buildEmotions(parent) {
    const words = element("div", parent, { class: "fl-words", role: "group", "aria-label": "Emotion" });
    this.words = this.data.emotions.map(({ name }, k) => {
      const button = element("button", words, { type: "button", "aria-pressed": "false" }, name);
      button.addEventListener("click", () => this.show(k));
      return button;
    });
    const { input } = this.slider(parent, "strength of the emotion", [0.1, 1, 0.01], () => {
      if (this.emotion !== null) { this.variant -= 1; this.show(this.emotion, 1); }
    });
    input.value = 1;
    this.strength = input;
  }

  choose(k) {
    this.person = k;
    this.faces.forEach((button, j) => button.setAttribute("aria-pressed", String(j === k)));
    this.refresh();
  }

  buildPlane(parent) {
    const box = element("div", parent, { class: "fl-plane" });
    const plane = element("svg", box, { viewBox: "-124 -116 248 236", tabindex: 0, role: "group", "aria-label": "Valence and arousal. Arrow keys ask for another face." });
    const make = (tag, attributes, text) => element(tag, plane, attributes, text);
    make("circle", { r: 100, class: "fl-disc" });
    make("path", { d: "M-100 0H100M0-100V100", class: "fl-axes" });
    make("text", { x: 0, y: -105, class: "fl-axis" }, "excited");
    make("text", { x: 0, y: 114, class: "fl-axis" }, "calm");
    make("text", { x: -110, y: 0, class: "fl-axis", transform: "rotate(-90 -110 0)" }, "unpleasant");
    make("text", { x: 110, y: 0, class: "fl-axis", transform: "rotate(90 110 0)" }, "pleasant");
    for (const { name, at, label } of this.data.emotions) {
      make("circle", { cx: 100 * at[0], cy: -100 * at[1], r: 2.2, class: "fl-seed" });
      make("text", { x: 100 * label[0], y: -100 * label[1], class: "fl-word" }, name);
    }
    this.ring = make("circle", { r: 8, class: "fl-asked", display: "none" });
    this.dot = make("circle", { r: 6, class: "fl-dot" });
    this.reading = element("p", box, { class: "fl-reading", "aria-live": "polite" });
    const touched = (event) => {
      const frame = plane.getBoundingClientRect(), scale = 248 / frame.width;
      this.express([((event.clientX - frame.left) * scale - 124) / 100, -((event.clientY - frame.top) * scale - 116) / 100]);
    };
    plane.addEventListener("pointerdown", (event) => { plane.setPointerCapture(event.pointerId); touched(event); });
    plane.addEventListener("pointermove", (event) => { if (event.buttons) touched(event); });
    plane.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [v, a] = this.asked ?? this.last.affect;
      this.express([v + step[0], a + step[1]]);
    });
  }
}

function start() {
  for (const root of document.querySelectorAll(".face-lab:not([data-ready])")) {
    root.setAttribute("data-ready", "");
    root.laboratory = new Laboratory(root, JSON.parse(root.querySelector("script[type='application/json']").textContent));
  }
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
