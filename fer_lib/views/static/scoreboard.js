// The matrix of claims: rows are hidden and moved, never changed.

class Scoreboard {
  constructor(root) {
    this.body = root.querySelector("tbody");
    this.rows = [...this.body.rows];
    this.heads = [...root.querySelectorAll("thead th")];
    this.told = root.querySelector(".sb-told");
    this.line = root.querySelector(".sb-line");
    this.line.hidden = false;
    for (const input of this.line.querySelectorAll("select, input")) input.addEventListener("input", () => this.filter());
    this.heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => this.sort(place)));
    for (const event of ["mouseover", "focusin"]) {
      this.body.addEventListener(event, (sent) => {
        const cell = sent.target.closest("td[title]");
        if (!cell) return;
        const claim = cell.parentNode.cells[0].firstChild.textContent.trim();
        this.told.textContent = `${claim} ${cell.title}`;
      });
    }
  }

  filter() {
    const words = this.line.querySelector("input").value.trim().toLowerCase();
    const wanted = [...this.line.querySelectorAll("select")].filter((one) => one.value);
    let left = 0;
    for (const row of this.rows) {
      const fits = wanted.every((one) => row.dataset[one.dataset.by] === one.value);
      row.hidden = !(fits && row.textContent.toLowerCase().includes(words));
      left += !row.hidden;
    }
    this.told.textContent = `${left} of ${this.rows.length} claims shown.`;
  }

  // The first column gives the book's own order back, the second sorts by work, the others by verdict and effect.
  sort(place) {
    const rank = (row) => {
      const cell = row.cells[place];
      return cell.dataset.rank === undefined ? [9, 0] : [+cell.dataset.rank, -cell.dataset.effect];
    };
    const order = this.rows.map((row, index) => ({ row, index, key: place > 1 ? rank(row) : [place ? row.cells[1].textContent : ""] }));
    order.sort((a, b) => {
      for (let k = 0; k < a.key.length; k += 1) if (a.key[k] !== b.key[k]) return a.key[k] < b.key[k] ? -1 : 1;
      return a.index - b.index;
    });
    this.body.append(...order.map((one) => one.row));
    this.heads.forEach((head, k) => head.setAttribute("aria-sort", k === place ? "ascending" : "none"));
  }
}

for (const root of document.querySelectorAll(".scoreboard:not([data-built])")) {
  root.dataset.built = "yes";
  root.scoreboard = new Scoreboard(root);
}
