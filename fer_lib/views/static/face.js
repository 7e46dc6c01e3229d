// The face of the laboratory: repeats the recorded steps of the face world, and draws what comes out as SVG.
// Nothing here knows how a face moves; every point and level comes from the program in the page's data.


const unpacked = (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const numbers = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i += 1) numbers[i] = bytes[2 * i] + 256 * bytes[2 * i + 1];
  return numbers;
};

const OPERATIONS = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b), max: (a, b) => Math.max(a, b), pow: (a, b) => a ** b, ge: (a, b) => +(a >= b), gt: (a, b) => +(a > b),
  pick: (c, a, b) => (c ? a : b), sqrt: Math.sqrt, exp: Math.exp, abs: Math.abs,
  sin: Math.sin, cos: Math.cos, tanh: Math.tanh,
};

function makeProgram(steps, { inputs, constants, code, outputs }) {
  const table = steps.map(([name]) => OPERATIONS[name]), arity = steps.map(([, count]) => count);
  const codes = unpacked(code), results = unpacked(outputs);
  const places = new Float64Array(inputs + constants.length + codes.length);
  return (values) => {
    places.set(values);
    places.set(constants, inputs);
    let next = inputs + constants.length;
    for (let i = 0; i < codes.length; next += 1) {
      const step = codes[i];
      places[next] = table[step](places[codes[i + 1]], places[codes[i + 2]], places[codes[i + 3]]);
      i += 1 + arity[step];
    }
    return Float64Array.from(results, (place) => places[place]);
  };
}

/** From a row of numbers to curves in pixels and levels, by the two programs and the relief's strokes. */
function makeFace(steps, { sketch, place, skin, flat, levels, strokes, shape }) {
  const first = makeProgram(steps, sketch), second = makeProgram(steps, place), row = new Float64Array(11);
  const [from, count] = strokes;
  const height = (out, x, y) => {
    let sum = 0;
    for (let k = from; k < from + count; k += 1) {
      const dx = (x - out[k + count]) / out[k + 3 * count], dy = (y - out[k + 2 * count]) / out[k + 4 * count];
      const squared = dx * dx + dy * dy;
      if (squared < 24) sum += out[k] * Math.exp(-squared);
    }
    return sum;
  };
  return (numbers, angles) => {
    const out = first([...numbers, ...angles]), points = {}, found = {};
    for (const [name, [start, size]] of Object.entries(flat)) {
      points[name] = Array.from({ length: size }, (_, i) => [out[start + 2 * i], out[start + 2 * i + 1]]);
    }
    row.set(out.subarray(shape, shape + 5));
    row.set(angles, 5);
    for (const [name, [start, size]] of Object.entries(skin)) {
      points[name] = Array.from({ length: size }, (_, i) => {
        const [x, y, raised] = out.subarray(start + 3 * i, start + 3 * i + 3);
        row.set([x, y, raised ? height(out, x, y) : 0], 8);
        return Array.from(second(row));
      });
    }
    for (const [name, [start]] of Object.entries(levels)) found[name] = [out[start], out[start + 1]];
    return { points, levels: found, landmarks: points.landmarks, affect: found.affect };
  };
}

// ---- points and paths ---------------------------------------------------------------------------------------

const lerp = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
const fixed = (p) => `${p[0].toFixed(2)} ${p[1].toFixed(2)}`;
const middle = (points) => [0, 1].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length);
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** A smooth curve through points (Catmull-Rom as Bezier pieces), without its first "move to". */
function through(points) {
  let path = "";
  for (let i = 0; i + 1 < points.length; i += 1) {
    const [a, b, c, d] = [points[i - 1] ?? points[i], points[i], points[i + 1], points[i + 2] ?? points[i + 1]];
    const one = [b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6];
    const two = [c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6];
    path += `C${fixed(one)} ${fixed(two)} ${fixed(c)}`;
  }
  return path;
}
const open = (points) => `M${fixed(points[0])}${through(points)}`;
/** A closed shape between curves, each taken in the order given. */
const shape = (...curves) =>
  curves.map((c, i) => `${i ? "L" : "M"}${fixed(c[0])}${through(c)}`).join("") + "Z";
const back = (points) => [...points].reverse();
const resample = (points, count) => Array.from({ length: count }, (_, i) => {
  const at = (i / (count - 1)) * (points.length - 1), low = Math.min(Math.floor(at), points.length - 2);
  return lerp(points[low], points[low + 1], at - low);
});
const ring = (c, rx, ry = rx) =>
  `M${c[0] - rx} ${c[1]}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0Z`;

const parts = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
const mix = (from, to, t) => {
  const b = parts(to);
  return `#${parts(from).map((v, k) => Math.round(v + (b[k] - v) * t).toString(16).padStart(2, "0")).join("")}`;
};
const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

// ---- the picture --------------------------------------------------------------------------------------------

let pictures = 0;

class FacePicture {
  constructor(host, label) {
    this.id = `face-lab-${(pictures += 1)}`;
    this.svg = element("svg", host, { viewBox: "-0.5 -0.5 256 256", role: "img", "aria-label": label });
    this.defs = element("defs", this.svg, {});
    for (const [name, amount] of [["soft", 1.1], ["softer", 3.2], ["softest", 8]]) {
      const filter = element("filter", this.defs, { id: `${this.id}-${name}`, filterUnits: "userSpaceOnUse", x: -40, y: -40, width: 340, height: 340 });
      element("feGaussianBlur", filter, { stdDeviation: amount });
    }
    this.layers = {};
    this.clips = {};
    this.stops = {};
  }

  /** Sets one layer; it is made on the first call, above those before it. */
  put(name, d, { blur, clip, ...style }) {
    let layer = this.layers[name];
    if (!layer) {
      const outer = clip ? element("g", this.svg, { "clip-path": `url(#${this.id}-in-${clip})` }) : this.svg;
      layer = element("path", outer, blur ? { filter: `url(#${this.id}-${blur})` } : {});
      layer.setAttribute("data-layer", name);
      this.layers[name] = layer;
    }
    layer.setAttribute("d", d);
    for (const [key, value] of Object.entries({ fill: "none", ...style })) {
      layer.setAttribute(key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value);
    }
  }

  line(name, d, stroke, width, more = {}) {
    this.put(name, d, { stroke, strokeWidth: width, strokeLinecap: "round", strokeLinejoin: "round", ...more });
  }

  clip(name, d) {
    if (!this.clips[name]) {
      this.clips[name] = element("path", element("clipPath", this.defs, { id: `${this.id}-in-${name}` }), {});
    }
    this.clips[name].setAttribute("d", d);
  }

  /** A gradient over the whole picture: radial from [x, y, r], or linear from [x1, y1, x2, y2]. */
  shade(name, where, colours) {
    const names = where.length === 3 ? ["cx", "cy", "r"] : ["x1", "y1", "x2", "y2"];
    if (!this.stops[name]) {
      const tag = where.length === 3 ? "radialGradient" : "linearGradient";
      const gradient = element(tag, this.defs, { id: `${this.id}-${name}`, gradientUnits: "userSpaceOnUse" });
      this.stops[name] = [gradient, ...colours.map(() => element("stop", gradient, {}))];
    }
    const [gradient, ...stops] = this.stops[name];
    names.forEach((key, k) => gradient.setAttribute(key, where[k].toFixed(2)));
    colours.forEach(([offset, colour, opacity = 1], k) => {
      stops[k].setAttribute("offset", offset);
      stops[k].setAttribute("stop-color", colour);
      stops[k].setAttribute("stop-opacity", opacity);
    });
    return `url(#${this.id}-${name})`;
  }

  /** Draws one face. p: curves by name; v: levels by name; person: colours and looks. */
  draw(p, v, person) {
    const c = palette(person.colours), look = person.looks;
    const outline = shape(p.edge_left, back(p.edge_right));
    this.clip("face", outline);
    this.surroundings(p, c, look, outline);
    this.skin(p, v, c, look, outline);
    this.nose(p, v, c);
    for (const mark of ["-", "+"]) this.eye(p, v, c, look, mark);
    this.mouth(p, v, c, look);
    this.hairInFront(p, c, look);
    if (look.glasses || this.layers["glass-"]) this.glasses(p, look);
  }

  surroundings(p, c, look, outline) {
    this.put("ground", "M-1-1H257V257H-1Z", { fill: this.shade("ground", [96, 70, 230], [[0, c.groundLight], [1, c.ground]]) });
    const [left, right] = p.neck, chin = p.landmarks[8][1];
    const reach = (right[0] - left[0]) * 1.35, mid = (left[0] + right[0]) / 2;
    const slope = chin + 26;
    this.put("body", `M${left[0]} ${slope}C${left[0] - 22} ${slope + 12} ${mid - reach} ${slope + 10} ${mid - reach - 10} 257H${mid + reach + 10}C${mid + reach} ${slope + 10} ${right[0] + 22} ${slope + 12} ${right[0]} ${slope}Q${mid} ${slope + 26} ${left[0]} ${slope}Z`,
      { fill: this.shade("cloth", [0, slope, 0, 262], [[0, c.clothLight], [1, c.cloth]]) });
    const ends = [p.hair_right[14], p.hair_left[14]], hang = 0.09 * apart(...ends) * clamp((ends[0][1] - p.ears[0][1]) / 40);
    const tips = resample(ends, 12).map(([x, y], i) => [x, y + hang * Math.sin((Math.PI * i) / 11) + (i % 2 ? 2.5 : 0)]);
    const behind = shape(back(p.hair_left), p.hair_right, tips.slice(1, 11));
    this.put("behind", behind, { fill: this.shade("behind", [0, 20, 0, 240], [[0, c.hair], [1, c.hairDark]]), opacity: look.bald ? 0 : 1 });
    this.clip("behind", behind);
    const axis = resample([middle([p.hair_left[0], p.hair_right[0]]), [mid, 240]], 15);
    const fall = (f) => ["hair_left", "hair_right"].map((n) => open(resample(p[n], 15).slice(3).map((q, i) => lerp(q, axis[i + 3], f)))).join("");
    this.line("behind-light", [0.06, 0.2, 0.3].map(fall).join(""), c.hairLight, 1.1, { opacity: look.bald ? 0 : 0.32, clip: "behind" });
    this.line("behind-dark", [0.12, 0.25, 0.38].map(fall).join(""), c.hairDeep, 1.6, { opacity: look.bald ? 0 : 0.4, clip: "behind" });
    const throat = `M${left[0]} ${chin - 60}L${left[0]} ${slope}Q${mid} ${slope + 26} ${right[0]} ${slope}L${right[0]} ${chin - 60}Z`;
    this.clip("throat", throat);
    this.put("neck", throat, { fill: this.shade("neck", [left[0], 0, right[0], 0], [[0, c.shade], [0.4, c.skin], [1, c.deep]]) });
    this.put("neck-shadow", outline, { fill: c.deep, opacity: 0.75, blur: "softer", clip: "throat", transform: "translate(3 9)" });
    p.ears.forEach((ear, k) => {
      const wide = k ? 8.5 : 9;
      this.put(`ear${k}`, ring(ear, wide, 18), { fill: this.shade(`ear${k}`, [ear[0] + (k ? -4 : 4), ear[1], 20], [[0, c.deep], [0.55, c.shade], [1, c.skin]]) });
    });
  }

  skin(p, v, c, look, outline) {
    const top = p.edge_left[0][1], chin = p.landmarks[8][1], mid = middle(p.landmarks.slice(0, 17));
    const high = chin - top, x = mid[0];
    this.put("face", outline, { fill: this.shade("skin", [x - 0.16 * high, top + 0.36 * high, 0.72 * high], [[0, c.light], [0.45, c.skin], [1, c.shade]]) });
    const inside = { clip: "face" };
    this.line("rim", outline, c.deep, 24, { opacity: 0.36, blur: "softest", ...inside });
    this.put("far", ring([x + 0.42 * high, top + 0.55 * high], 0.2 * high, 0.5 * high), { fill: c.deep, opacity: 0.26, blur: "softest", ...inside });
    this.put("brow-light", ring([x - 0.05 * high, top + 0.3 * high], 0.17 * high, 0.07 * high), { fill: c.shine, opacity: 0.5, blur: "softest", ...inside });
    for (const mark of ["-", "+"]) {
      const full = 0.055 * high, [k] = p[`cheek${mark}`], level = (name) => v[name][mark === "-" ? 0 : 1];
      this.put(`blush${mark}`, ring([k[0], k[1] + 5], full * 1.5, full * 1.15), { fill: c.blush, opacity: 0.3 + 0.25 * look.makeup, blur: "softest", ...inside });
      this.put(`cheek${mark}`, ring([k[0] - 2, k[1] - 3], full, full * 0.7), { fill: c.shine, opacity: (mark === "-" ? 0.34 : 0.16) + 3 * level("cheek_up"), blur: "softest", ...inside });
      const [s] = p[`socket${mark}`], wide = apart(p[`upper${mark}`][0], p[`upper${mark}`][8]);
      this.put(`socket${mark}`, ring([s[0], s[1] + 1], wide * 0.72, wide * 0.46), { fill: c.deep, opacity: 0.26 + 0.1 * level("frown"), blur: "softer", ...inside });
      this.put(`lid${mark}`, ring([s[0], s[1] - wide * 0.22], wide * 0.45, wide * 0.13), { fill: c.shine, opacity: 0.2, blur: "softer", ...inside });
    }
    const jaw = [...p.edge_right.slice(12)], jawLeft = [...p.edge_left.slice(12)];
    const beard = shape(p.beard, jaw, back(jawLeft));
    this.clip("beard", beard);
    this.put("stubble", beard, { fill: mix(c.hair, "#3b4048", 0.4), opacity: 0.28 * look.stubble, blur: "softer", ...inside });
    this.put("beard", beard, { fill: c.hair, opacity: 0.93 * clamp(look.beard * 1.3), blur: "soft", ...inside });
    this.line("beard-hairs", this.hairs(p.beard, [...jawLeft, ...back(jaw)]), c.hairLight, 0.7, { opacity: look.beard ? 0.4 : 0, clip: "beard" });
    this.creases(p, v, c, look);
    this.line("hair-shadow", open(p.hairline), c.deep, 9, { opacity: look.bald ? 0 : 0.4, blur: "softer", transform: "translate(1.5 3)", ...inside });
  }

  /** Short strokes that run from one curve towards another. */
  hairs(from, to, count = 44) {
    const a = resample(from, count), b = resample(to, count);
    return a.map((q, i) => [0.06, 0.4, 0.72].map((t) => `M${fixed(lerp(q, b[i], t + 0.03 * Math.sin(7 * i)))}L${fixed(lerp(q, b[(i + 1) % count], t + 0.19))}`).join("")).join("");
  }

  creases(p, v, c, look) {
    const both = (name) => (v[name][0] + v[name][1]) / 2, old = v.wrinkled[0];
    const inside = { clip: "face", blur: "soft" };
    const forehead = clamp(both("furrow") * (0.35 + 0.5 * old) + 0.55 * (old - 0.2));
    for (const k of [0, 1, 2]) {
      this.line(`forehead${k}`, open(p[`forehead_${k}`]), c.deep, 1.8, { opacity: (0.75 - 0.12 * k) * forehead, ...inside });
      this.line(`forehead-light${k}`, open(p[`forehead_${k}`]), c.shine, 1.6, { opacity: 0.45 * forehead, transform: "translate(0 2.4)", ...inside });
    }
    for (const mark of ["-", "+"]) {
      const level = (name) => v[name][mark === "-" ? 0 : 1];
      const fold = clamp(level("fold") - 0.06, 0, 1.2);
      this.line(`fold-wide${mark}`, open(p[`fold${mark}`]), c.deep, 5.5, { opacity: 0.44 * fold, clip: "face", blur: "softer" });
      this.line(`fold${mark}`, open(p[`fold${mark}`]), c.deep, 1.5, { opacity: 0.62 * fold, ...inside });
      this.line(`frown${mark}`, open(p[`frown${mark}`]), c.deep, 2.2, { opacity: 0.75 * level("frown"), ...inside });
      const q = p[`crow${mark}`], feet = level("squeeze") * (0.2 + 0.7 * old) + 0.35 * (old - 0.25);
      this.line(`crow${mark}`, [0, 2, 4].map((k) => `M${fixed(q[k])}L${fixed(q[k + 1])}`).join(""), c.deep, 1.2, { opacity: clamp(0.9 * feet), ...inside });
      this.line(`bag${mark}`, open(p[`bag${mark}`].slice(1, 8)), c.deep, 2, { opacity: clamp(0.1 + 0.42 * (old - 0.2) + 0.3 * level("squeeze")), ...inside });
      this.put(`pit${mark}`, ring(p[`pit${mark}`][0], 3, 3.6), { fill: c.deep, opacity: clamp(0.25 + 0.6 * level("dimple")), blur: "soft" });
    }
    const [l, r] = [p["bridge-"], p["bridge+"]], sneer = both("sneer");
    const bunny = [0.3, 0.55, 0.8].map((t) => { const a = resample(l, 11)[Math.round(t * 9)], b = resample(r, 11)[Math.round(t * 9)]; return `M${fixed(a)}Q${fixed([(a[0] + b[0]) / 2, a[1] - 4])} ${fixed(b)}`; }).join("");
    this.line("bunny", bunny, c.deep, 1.4, { opacity: clamp(0.55 * sneer), ...inside });
    this.line("under-lip", open(p.under_lip), c.deep, 5, { opacity: 0.4 + 0.3 * v.chin_boss[0], blur: "softer" });
    const chin = p.landmarks[8], lip = p.under_lip[2];
    this.put("chin", ring(lerp(lip, chin, 0.5), 11, 7), { fill: c.shine, opacity: (0.24 + 0.2 * v.chin_boss[0]) * (1 - clamp(look.beard * 1.5)), blur: "softer" });
  }

  nose(p, v, c) {
    const tip = p.landmarks[30], [l, r] = [p["bridge-"], p["bridge+"]], base = p.landmarks[33];
    const turn = (tip[0] - (l[4][0] + r[4][0]) / 2) / 8;
    this.line("nose-far", open(r), c.deep, 8, { opacity: clamp(0.34 - 0.1 * turn, 0.1, 0.5), blur: "softer" });
    this.line("nose-near", open(l), c.deep, 6, { opacity: clamp(0.14 + 0.16 * turn, 0.05, 0.5), blur: "softer" });
    const ridge = [...p.landmarks.slice(27, 31)];
    this.line("ridge", open(ridge), c.shine, 5, { opacity: 0.55, blur: "softer" });
    this.put("under-nose", ring([base[0] + 2, base[1] + 3], 19, 5), { fill: c.deep, opacity: 0.5, blur: "softer" });
    this.put("tip", ring([tip[0] + 1, tip[1] + 4], 12, 8), { fill: c.blush, opacity: 0.28, blur: "softer" });
    this.put("tip-light", ring([tip[0] - 2, tip[1] - 1], 4.4, 3.4), { fill: c.shine, opacity: 0.6, blur: "soft" });
    for (const mark of ["-", "+"]) {
      const sneer = v.sneer[mark === "-" ? 0 : 1];
      this.line(`wing${mark}`, open(p[`wing${mark}`].slice(1)), c.deep, 2.4, { opacity: 0.42 + 0.3 * sneer, blur: "soft" });
      const n = p[`nostril${mark}`];
      this.put(`nostril${mark}`, `M${fixed(n[0])}Q${fixed([n[1][0], n[1][1] - 3.4])} ${fixed(n[2])}Q${fixed([n[1][0], n[1][1] + 4])} ${fixed(n[0])}Z`, { fill: c.dark, opacity: 0.8, blur: "soft" });
    }
  }

  eye(p, v, c, look, mark) {
    const side = mark === "-" ? 0 : 1, [upper, lower] = [p[`upper${mark}`], p[`lower${mark}`]];
    const open_ = shape(upper, back(lower)), [iris, a, b, low] = p[`iris${mark}`];
    const rx = apart(a, b) / 2, ry = apart(iris, low), wide = apart(upper[0], upper[8]);
    this.clip(`eye${mark}`, open_);
    const inside = { clip: `eye${mark}` };
    this.line(`crease${mark}`, open(p[`crease${mark}`].slice(1)), c.deep, 1.9, { opacity: 0.62 * (1 - 0.6 * v.shut[side]), blur: "soft" });
    this.put(`shadow${mark}`, shape(p[`crease${mark}`], back(upper)), { fill: mix(c.deep, look.makeup ? "#6b3a58" : c.deep, 0.5 * look.makeup), opacity: 0.2 + 0.3 * look.makeup, blur: "soft" });
    this.put(`white${mark}`, open_, { fill: this.shade(`white${mark}`, [iris[0], iris[1], wide * 0.62], [[0, c.white], [0.6, c.white], [1, c.whiteShade]]) });
    this.put(`iris${mark}`, ring(iris, rx, ry), { fill: this.shade(`iris${mark}`, [iris[0], iris[1] + ry * 0.25, ry], [[0, c.irisLight], [0.62, c.iris], [0.86, c.irisDark], [1, "#0d0a09"]]), ...inside });
    this.put(`pupil${mark}`, ring(iris, rx * 0.42, ry * 0.42), { fill: "#0a0708", ...inside });
    this.put(`glint${mark}`, ring([iris[0] - rx * 0.3, iris[1] - ry * 0.36], 1.75, 1.6), { fill: "#fff", opacity: 0.92, ...inside });
    this.put(`glint-low${mark}`, ring([iris[0] + rx * 0.34, iris[1] + ry * 0.4], 1.1, 0.9), { fill: "#fff", opacity: 0.3, ...inside });
    this.line(`lid-shadow${mark}`, open(upper), "#2a1510", 5, { opacity: 0.5, blur: "soft", ...inside });
    this.put(`duct${mark}`, ring(upper[0], 2.6, 2), { fill: c.blush, opacity: 0.7, ...inside });
    const thick = 1.5 + 1.1 * look.makeup, outer = upper[8], grow = outer[0] > upper[0][0] ? 1 : -1;
    const lash = [...upper.map((q, i) => [q[0], q[1] - thick * (0.25 + 0.75 * (i / 8))]), [outer[0] + grow * (1.2 + 2 * look.makeup), outer[1] - 1 - look.makeup]];
    this.put(`lash${mark}`, shape(lash, back(upper)), { fill: "#1a0f0c", opacity: 0.92 });
    this.line(`lower-lid${mark}`, open(lower), c.deep, 1, { opacity: 0.6 });
    const [top, bottom] = [p[`brow_top${mark}`], p[`brow_low${mark}`]];
    const brow = shape(top, back(bottom));
    this.put(`brow${mark}`, brow, { fill: c.brow, opacity: 0.86, blur: "soft" });
    const stroke = top.slice(0, 8).map((q, i) => [0, 0.5].map((h) => { const from = lerp(bottom[i], bottom[i + 1], h), to = lerp(top[Math.min(i + 1, 8)], top[Math.min(i + 2, 8)], h); return `M${fixed(from)}L${fixed(to)}`; }).join("")).join("");
    this.line(`brow-hairs${mark}`, stroke, c.browDark, 0.9, { opacity: 0.7 });
  }

  mouth(p, v, c, look) {
    const [top, innerTop, innerLow, low] = [p.lip_top, p.lip_inner_top, p.lip_inner_low, p.lip_low];
    const hole = shape(innerTop, back(innerLow)), mid = middle([top[6], low[6]]), tall = apart(innerTop[6], innerLow[6]);
    this.clip("hole", hole);
    const inside = { clip: "hole" };
    this.put("hole", hole, { fill: this.shade("hole", [0, innerTop[6][1], 0, innerLow[6][1] + 1], [[0, "#2a0b0c"], [1, "#531b1b"]]), opacity: tall > 0.4 ? 1 : 0 });
    this.put("tongue", ring([innerLow[6][0], innerLow[6][1] + 3], apart(innerLow[2], innerLow[10]) * 0.36, 4 + tall * 0.28), { fill: "#a9514f", opacity: clamp((tall - 8) / 12) * 0.9, blur: "soft", ...inside });
    const teeth = shape(innerTop.slice(1, 12), back(p.teeth.slice(1, 12)));
    this.put("teeth", teeth, { fill: this.shade("teeth", [innerTop[6][0], mid[1], apart(innerTop[0], innerTop[12]) * 0.55], [[0, c.teeth], [0.55, c.teeth], [1, "#6b5148"]]), opacity: clamp((tall - 0.8) / 1.6), ...inside });
    const upperTeeth = resample(innerTop.slice(2, 11), 11), lowerTeeth = resample(p.teeth.slice(2, 11), 11);
    this.line("tooth-lines", upperTeeth.map((q, i) => `M${fixed(q)}L${fixed(lowerTeeth[i])}`).join(""), "#8a7463", 0.6, { opacity: 0.35 * clamp((tall - 2) / 3), ...inside });
    this.line("mouth-shadow", open(innerTop), "#200506", 4, { opacity: 0.5 * clamp(tall / 4), blur: "soft", ...inside });
    this.put("lip-low", shape(innerLow, back(low)), { fill: this.shade("lip-low", [0, innerLow[6][1] - 1, 0, low[6][1] + 1], [[0, c.lipDark], [0.4, c.lip], [1, mix(c.lip, c.skin, 0.3)]]) });
    this.put("lip-top", shape(top, back(innerTop)), { fill: this.shade("lip-top", [0, top[6][1], 0, innerTop[6][1] + 0.5], [[0, mix(c.lip, c.skin, 0.25)], [0.45, c.lipTop], [1, c.lipDark]]) });
    this.line("lip-light", open(innerLow.slice(4, 9).map((q, i) => lerp(q, low[i + 4], 0.42))), c.shine, 2, { opacity: 0.5 + 0.2 * look.makeup, blur: "soft" });
    this.line("lip-edge", open(top), c.deep, 0.8, { opacity: 0.3 });
    this.line("seam", open(innerTop), c.dark, 1.3 + 0.7 * v.press[0], { opacity: 0.82 });
    this.line("seam-low", open(innerLow), c.lipDark, 0.8, { opacity: 0.5 * clamp(tall) });
    const nose = p.landmarks.slice(31, 36), above = resample(top, 9);
    const moustache = shape(above.map((q, i) => [q[0] + (i - 4) * 1.6, q[1] - 0.6]), back(above.map((q, i) => lerp(q, [nose[2][0] + (i - 4) * 6, nose[2][1] + 4], 0.78 - 0.1 * Math.abs(i - 4)))));
    this.put("moustache", moustache, { fill: c.hair, opacity: 0.92 * clamp(look.moustache * 1.3), blur: "soft" });
    this.line("moustache-hairs", above.flatMap((q, i) => [0, 1, 2].map((k) => `M${fixed(lerp(q, [nose[2][0] + (i - 4) * 5, nose[2][1] + 5], 0.62))}L${fixed([q[0] + (i - 4) * 1.4 + (k - 1) * 1.6, q[1]])}`)).join(""), c.hairLight, 0.6, { opacity: look.moustache ? 0.35 : 0 });
  }

  hairInFront(p, c, look) {
    const crown = [...back(p.hair_left.slice(0, 9)), ...p.hair_right.slice(1, 9)];
    const d = shape(p.hairline, back(crown)), hidden = look.bald ? 0 : 1;
    this.clip("hair", d);
    const top = p.hair_left[0], low = middle(p.hairline);
    this.put("hair", d, { fill: this.shade("hair", [top[0] - 20, top[1], top[0] + 30, low[1] + 30], [[0, c.hair], [0.32, c.hairLight], [0.6, c.hair], [1, c.hairDark]]), opacity: hidden });
    const count = 56, line = resample(p.hairline, count), over = resample(crown, count), part = look.parting;
    const strand = (i) => {
      const root = lerp(over[i], [top[0] + part * 28, top[1] + 6], 0.4);
      const way = [line[i], lerp(lerp(line[i], root, 0.5), over[i], 0.3 + look.curl * 0.25 * Math.sin(i * 1.7)), root];
      return i < 5 || i > count - 6 ? "" : open(way);
    };
    const curls = look.curl > 0.3;
    const curl = (i) => [0.08, 0.24, 0.42, 0.6, 0.8].map((t, k) => {
      const at = lerp(line[i], over[i], t + 0.06 * Math.sin(5 * i + 3 * k)), r = 2.1 + Math.sin(3 * i + k);
      return `M${fixed([at[0] - r, at[1]])}a${r} ${r} 0 1 ${(i + k) % 2} ${r} ${r * 0.9}`;
    }).join("");
    const every = (step, from) => curls ? line.map((_, i) => (i % step === from ? curl(i) : "")).join("") : line.map((_, i) => (i % step === from ? strand(i) : "")).join("");
    this.line("strands-dark", every(2, 0), c.hairDeep, 1.3, { opacity: 0.42 * hidden, clip: "hair" });
    this.line("strands-light", every(3, 1), c.hairShine, 0.9, { opacity: 0.34 * hidden, clip: "hair" });
    this.line("hair-shine", open(resample(crown.map((q, i) => lerp(q, p.hairline[Math.round((i / 16) * 20)], 0.42)), 17).slice(3, 10)), c.hairShine, 9, { opacity: 0.42 * hidden, blur: "softer", clip: "hair" });
    this.line("hair-rim", open(p.hairline.slice(2, 19)), c.hairDark, 1.6, { opacity: 0.55 * hidden, blur: "soft" });
  }

  glasses(p, look) {
    const hidden = look.glasses ? 1 : 0, dark = mix("#2b2523", "#7a5a3a", look.frame);
    const lens = (mark) => { const [a, b] = [p[`upper${mark}`][0], p[`upper${mark}`][8]]; const c = middle([a, b]); return [[c[0], c[1] + 2], Math.max(9, Math.abs(b[0] - a[0]) * 0.74), 18.5]; };
    const [l, r] = [lens("-"), lens("+")];
    for (const [mark, [centre, w, h]] of [["-", l], ["+", r]]) {
      const [x, y] = centre, k = 0.55 + 0.3 * look.round;
      const d = `M${x - w} ${y}C${x - w} ${y - h * k - 4} ${x - w * 0.72} ${y - h} ${x} ${y - h}S${x + w} ${y - h * k - 4} ${x + w} ${y}S${x + w * 0.7} ${y + h} ${x} ${y + h}S${x - w} ${y + h * k} ${x - w} ${y}Z`;
      this.put(`glass${mark}`, d, { fill: this.shade(`glass${mark}`, [x - w, y - h, x + w, y + h], [[0, "#ffffff", 0.26], [0.45, "#ffffff", 0.04], [1, "#ffffff", 0.14]]), stroke: dark, strokeWidth: 2.6, opacity: hidden });
    }
    const [[a, aw], [b, bw]] = [l, r];
    const hinge = (p.ears[0][1] + p.ears[1][1]) / 2 - 8;
    this.line("frame", `M${a[0] + aw} ${a[1] - 3}Q${(a[0] + aw + b[0] - bw) / 2} ${a[1] - 9} ${b[0] - bw} ${b[1] - 3}M${a[0] - aw} ${a[1] - 6}L${p.ears[0][0] + 2} ${hinge}M${b[0] + bw} ${b[1] - 6}L${p.ears[1][0] - 2} ${hinge}`, dark, 2.6, { opacity: hidden });
  }
}

function palette({ skin, lip, hair, brow, iris, cloth, ground }) {
  const deep = mix(skin, "#33100a", 0.62), bright = parts(skin).reduce((a, b) => a + b) / 765;
  return {
    skin, light: mix(skin, "#fff1dc", 0.3), shade: mix(skin, "#4a180e", 0.3), deep, dark: mix(skin, "#180504", 0.86),
    shine: mix(skin, "#fff6ea", 0.3 + 0.34 * bright), blush: mix(skin, "#c23a34", 0.42),
    lip, lipTop: mix(lip, "#3a0d10", 0.18), lipDark: mix(lip, "#2a0608", 0.55),
    hair, hairLight: mix(hair, "#e8c9a0", 0.2), hairShine: mix(hair, "#ffe9cc", 0.45), hairDark: mix(hair, "#0c0706", 0.45), hairDeep: mix(hair, "#050303", 0.65),
    brow, browDark: mix(brow, "#080404", 0.5),
    iris, irisLight: mix(iris, "#ffe2b0", 0.35), irisDark: mix(iris, "#0a0605", 0.5),
    white: mix("#d8cfc8", "#fbf8f4", clamp(bright * 1.2)), whiteShade: mix("#8d7a72", "#c4b4aa", clamp(bright * 1.2)),
    teeth: mix("#d9cfc0", "#f7f1e6", clamp(bright * 1.2)),
    cloth, clothLight: mix(cloth, "#ffffff", 0.22), ground, groundLight: mix(ground, "#ffffff", 0.3),
  };
}
