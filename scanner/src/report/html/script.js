"use strict";
// Filters and sorts the table of findings. Its state stands after the #, so that a view can be sent to somebody.
(() => {
  const table = document.getElementById("findings-table");
  const controls = document.getElementById("controls");
  const field = (name) => document.getElementById(name);
  const rows = [...table.tBodies].map((body, place) => {
    const cells = body.rows[0].cells;
    const value = (cell) => cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.toLowerCase();
    return {
      body, place, values: [...cells].map(value), severity: cells[0].textContent,
      status: cells[7].textContent, text: body.textContent.toLowerCase(),
    };
  });
  const heads = [...table.tHead.rows[0].cells];
  let sorted = { by: "", down: false };

  const state = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");

  function filter() {
    const words = field("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severity = field("severity").value, status = field("status").value;
    let shown = 0;
    for (const row of rows) {
      const fits = (!severity || row.severity === severity) && (!status || row.status === status)
        && words.every((word) => row.text.includes(word));
      row.body.hidden = !fits;
      shown += fits;
    }
    field("shown").textContent = `${shown} of ${rows.length} shown`;
  }

  function sort(by, down) {
    const column = heads.findIndex((head) => head.dataset.by === by);
    sorted = column < 0 ? { by: "", down: false } : { by, down };
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const compare = (a, b) => {
      const [x, y] = [a.values[column], b.values[column]];
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1) || a.place - b.place;
    };
    const order = column < 0 ? rows : [...rows].sort(compare);
    table.append(...order.map((row) => row.body));
  }

  function remember() {
    const kept = new URLSearchParams();
    for (const name of ["q", "severity", "status"]) if (field(name).value) kept.set(name, field(name).value);
    if (sorted.by) kept.set("sort", (sorted.down ? "-" : "") + sorted.by);
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  }

  function restore() {
    const kept = state();
    for (const name of ["q", "severity", "status"]) field(name).value = kept.get(name) || "";
    const by = kept.get("sort") || "";
    sort(by.replace(/^-/, ""), by.startsWith("-"));
    filter();
  }

  function unfold() {
    const named = location.hash.startsWith("#f-") && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!named) return;
    named.hidden = false;
    named.querySelector("details").open = true;
    named.scrollIntoView();
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const numbers = head.classList.contains("n") || head.dataset.by === "severity";
      sort(head.dataset.by, sorted.by === head.dataset.by ? !sorted.down : numbers);
      remember();
    });
  }
  controls.addEventListener("input", () => { filter(); remember(); });
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(() => { sort("", false); filter(); remember(); }));
  addEventListener("hashchange", () => { if (location.hash.includes("=")) restore(); else unfold(); });
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of folded) details.open = false; });
  controls.hidden = false;
  restore();
  unfold();
})();
