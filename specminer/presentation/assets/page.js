"use strict";
// All texts come from the document and are only ever set as text.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const frame = byId("frame");
  const details = byId("details");
  let point = data.chosen;
  let variant = null;
  let selected = null;
  let unfolded = false;

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function figure(number) {
    return number.toLocaleString("en-US");
  }

  function linked(piece) {
    if (!piece.url) return element("code", piece.text);
    const made = element("a", piece.text);
    made.href = piece.url;
    made.rel = "noopener noreferrer";
    made.target = "_blank";
    return made;
  }

  // ---- the picture -------------------------------------------------------------------------------------------

  // a large automaton has two pictures: one with boxes that stand for several states, and one with all of them
  function pictureOf(wanted, whole) {
    const all = [...frame.querySelectorAll('.picture[data-point="' + wanted + '"]')];
    return all.find((item) => item.hasAttribute("data-unfolded") === whole) || all[0];
  }

  function picture() {
    return pictureOf(point, unfolded);
  }

  function boxOf(id) {
    if (picture().hasAttribute("data-unfolded")) return undefined;
    return data.points[point].boxes.find((box) => box.id === id || box.states.includes(id));
  }

  // the states that a part of the picture stands for
  function members(id) {
    const box = boxOf(id);
    return box && box.id === id ? box.states : [id];
  }

  function drawing() {
    return picture().querySelector("svg");
  }

  function box(svg) {
    return svg.getAttribute("viewBox").trim().split(/[\s,]+/).map(Number);
  }

  function home(svg) {
    if (!svg.dataset.home) svg.dataset.home = svg.getAttribute("viewBox");
    return svg.dataset.home.trim().split(/[\s,]+/).map(Number);
  }

  function look(svg, view) {
    svg.setAttribute("viewBox", view.map((number) => number.toFixed(2)).join(" "));
  }

  function zoom(factor, event) {
    const svg = drawing();
    const whole = home(svg);
    let [left, top, width, height] = box(svg);
    const wanted = Math.min(Math.max(width * factor, whole[2] / 20), whole[2] * 3);
    const real = wanted / width;
    let x = left + width / 2;
    let y = top + height / 2;
    if (event) {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      x = at.x;
      y = at.y;
    }
    look(svg, [x - (x - left) * real, y - (y - top) * real, width * real, height * real]);
  }

  function fit() {
    const svg = drawing();
    look(svg, home(svg));
  }

  function move(right, down) {
    const svg = drawing();
    const [left, top, width, height] = box(svg);
    look(svg, [left + right * width, top + down * height, width, height]);
  }

  function dragging() {
    let held = null;
    let moved = false;
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      held = { x: event.clientX, y: event.clientY, view: box(drawing()), pointer: event.pointerId };
      moved = false;
    });
    frame.addEventListener("pointermove", (event) => {
      if (!held) return;
      const scale = drawing().getScreenCTM().a;
      const right = event.clientX - held.x;
      const down = event.clientY - held.y;
      if (!moved && Math.hypot(right, down) < 4) return;
      if (!moved) {
        moved = true;
        frame.setPointerCapture(held.pointer);
        frame.classList.add("moving");
      }
      const [left, top, width, height] = held.view;
      look(drawing(), [left - right / scale, top - down / scale, width, height]);
    });
    const stop = () => {
      held = null;
      frame.classList.remove("moving");
    };
    frame.addEventListener("pointerup", stop);
    frame.addEventListener("pointercancel", stop);
    frame.addEventListener("click", (event) => {
      if (!moved) choose(event.target.closest(".node, .edge"));
      moved = false;
    });
  }

  function keys(event) {
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") choose(event.target.closest(".node, .edge"));
    else if (event.key in moves) move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1 / 1.25);
    else if (event.key === "-") zoom(1.25);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  }

  // ---- details -----------------------------------------------------------------------------------------------

  function choose(part) {
    if (!part) return;
    if (selected) selected.classList.remove("chosen");
    selected = part;
    part.classList.add("chosen");
    if (part.dataset.state !== undefined) showState(Number(part.dataset.state));
    else showTransitions(edgesOf(part));
  }

  function edgesOf(part) {
    const from = members(Number(part.dataset.from));
    const to = members(Number(part.dataset.to));
    return data.points[point].edges.filter((edge) => from.includes(edge.source) && to.includes(edge.target));
  }

  function stateName(id) {
    const found = data.points[point].states.find((state) => state.id === id);
    return found ? found.name : "?";
  }

  function showStates() {
    details.replaceChildren(element("p", "Choose a state or an arrow to see what is known of it.", "quiet"));
    const list = element("ul");
    for (const state of data.points[point].states) {
      const item = element("li");
      const open = element("button", state.name + " (" + figure(state.visits) + (state.visits === 1 ? " visit)" : " visits)"));
      open.type = "button";
      open.addEventListener("click", () => {
        const box = boxOf(state.id);
        choose(picture().querySelector('.node[data-state="' + (box ? box.id : state.id) + '"]'));
        showState(state.id);
        details.focus();
      });
      item.append(open);
      list.append(item);
    }
    details.append(list);
  }

  function showBox(box) {
    details.replaceChildren(element("h3", "One of " + figure(box.states.length) + " states"));
    const list = element("ul");
    for (const id of box.states) {
      const item = element("li");
      const open = element("button", stateName(id));
      open.type = "button";
      open.addEventListener("click", () => {
        showState(id);
        details.focus();
      });
      item.append(open);
      list.append(item);
    }
    details.append(list);
  }

  function showState(id) {
    const box = boxOf(id);
    if (box && box.id === id) return showBox(box);
    const state = data.points[point].states.find((item) => item.id === id);
    if (!state) return;
    details.replaceChildren(element("h3", state.name));
    const holds = element("ul");
    for (const text of state.predicates) holds.append(element("li", text));
    details.append(holds);
    details.append(facts([["Visits", figure(state.visits)], ["Interactions that end here", figure(state.ends)]]));
    details.append(element("h4", "What happens here"));
    const leaving = data.points[point].edges.filter((edge) => edge.source === id);
    if (!leaving.length) details.append(element("p", "Nothing was seen to happen here."));
    const list = element("ul");
    for (const edge of leaving.slice().sort((one, other) => other.count - one.count)) {
      const item = element("li");
      const open = element("button", edge.event + " (" + figure(edge.count) + ", " + edge.share + ")");
      open.type = "button";
      if (edge.rejected) open.className = "rejected";
      open.addEventListener("click", () => {
        showTransitions([edge]);
        details.focus();
      });
      item.append(open);
      list.append(item);
    }
    details.append(list);
  }

  function facts(pairs) {
    const list = element("dl");
    for (const [name, value] of pairs) {
      if (value === "" || value === null || value === undefined) continue;
      list.append(element("dt", name));
      const cell = element("dd");
      if (typeof value === "string") cell.textContent = value;
      else cell.append(value);
      list.append(cell);
    }
    return list;
  }

  function showTransitions(edges) {
    details.replaceChildren();
    const ends = new Set(edges.map((edge) => stateName(edge.source) + " → " + stateName(edge.target)));
    if (ends.size) details.append(element("h3", ends.size === 1 ? [...ends][0] : figure(edges.length) + " transitions"));
    for (const edge of edges.slice().sort((one, other) => other.count - one.count)) {
      details.append(element("h4", edge.event + (edge.rejected ? " (rejected)" : ""), edge.rejected ? "rejected" : ""));
      details.append(element("p", edge.sentence));
      details.append(copyButton(edge.sentence, edge.witnesses.map(whole).join(", "), edge.event));
      details.append(
        facts([
          ["Count", figure(edge.count)],
          ["Share", edge.share],
          ["Interactions", figure(edge.interactions)],
          ["Senders", figure(edge.senders)],
          ["Reserved to", edge.roles],
          ["Guard", edge.guard],
          ["Learned here", edge.told],
          ["Follows from the state", edge.follows],
          ["Guard holds in (95 %)", edge.holds],
          ["First", edge.first],
          ["Last", edge.last],
          ["Time", edge.elapsed],
          ["Ether in", exactly(edge.value, edge.valueExact)],
          ["Ether out", exactly(edge.paid, edge.paidExact)],
        ])
      );
      if (edge.witnesses.length) {
        details.append(element("p", "Witnesses:"));
        const list = element("ul");
        for (const piece of edge.witnesses) {
          const item = element("li");
          item.append(linked(piece));
          list.append(item);
        }
        details.append(list);
      }
      for (const example of edge.examples) details.append(exampleOf(example));
    }
  }

  // an amount that tells on hover what it is exactly
  function exactly(text, number) {
    if (!text || !number) return text;
    const made = element("span", text, "exact");
    made.title = number;
    return made;
  }

  function exampleOf(example) {
    const made = element("div");
    made.append(element("p", "Example, block " + figure(example.block) + ":"));
    const pairs = Object.entries(example.arguments);
    made.append(
      facts([["Transaction", linked(example.transaction)], ["Sender", example.sender], ["Value", example.value], ...pairs, ["Reason", example.reason]])
    );
    return made;
  }

  // ---- sliders and variants ----------------------------------------------------------------------------------

  function showPoint(wanted) {
    point = wanted;
    for (const item of frame.querySelectorAll(".picture")) item.hidden = item !== picture();
    const button = byId("unfold");
    button.hidden = pictureOf(point, true) === pictureOf(point, false);
    button.textContent = "Show all " + figure(data.points[point].states.length) + " states and lines";
    button.setAttribute("aria-pressed", String(unfolded));
    const slider = byId("front-slider");
    const second = point === data.second;
    if (byId("front")) byId("front").hidden = second;
    if (slider && !second) {
      slider.value = String(point);
      const states = data.points[point].states.length;
      const mark = point === data.chosen ? " (chosen)" : " (the tables show the chosen one)";
      byId("front-value").textContent = figure(states) + " states" + mark;
      slider.setAttribute("aria-valuetext", figure(states) + " states");
    }
    fitFrame();
    showStates();
    selected = null;
    refresh();
  }

  // a wide picture needs no high frame
  function fitFrame() {
    const [, , width, height] = home(drawing());
    const wanted = (frame.clientWidth * height) / width + 16;
    frame.style.height = Math.max(200, Math.min(wanted, 0.76 * window.innerHeight)) + "px";
    if (details.offsetTop === frame.offsetTop) details.style.height = Math.max(frame.offsetHeight, 320) + "px";
    else details.style.height = "";
  }

  function refresh() {
    const slider = byId("rare-slider");
    const limit = data.thresholds[Number(slider.value)];
    const edges = data.points[point].edges;
    const total = edges.reduce((sum, edge) => sum + edge.count, 0);
    const rare = (edge) => edge.count < limit * total;
    const hidden = edges.filter(rare);
    byId("rare-value").textContent = limit
      ? "below " + 100 * limit + " %: hides " + figure(hidden.length) + " of " + figure(edges.length) + " transitions"
      : "nothing hidden";
    slider.setAttribute("aria-valuetext", byId("rare-value").textContent);
    const steps = variant === null ? null : new Set(data.variants[variant]);
    const seen = new Set();
    for (const part of picture().querySelectorAll(".edge")) {
      const own = edgesOf(part);
      const gone = own.length > 0 && own.every(rare);
      const on = steps !== null && own.some((edge) => steps.has(edge.place));
      part.classList.toggle("gone", gone);
      part.classList.toggle("on", on);
      part.classList.toggle("faint", steps !== null && !on);
    }
    if (steps !== null)
      for (const edge of edges)
        if (steps.has(edge.place)) seen.add(edge.source).add(edge.target);
    for (const part of picture().querySelectorAll(".node"))
      part.classList.toggle("faint", steps !== null && !members(Number(part.dataset.state)).some((id) => seen.has(id)));
    if (point === data.chosen) {
      for (const row of document.querySelectorAll("#transitions tr[data-place]")) {
        const edge = edges[Number(row.dataset.place)];
        row.hidden = rare(edge);
        row.classList.toggle("on", steps !== null && steps.has(edge.place));
      }
    }
    byId("clear-variant").hidden = steps === null;
  }

  function chooseVariant(place) {
    if (point === data.second) showTab(0);
    variant = place;
    for (const button of document.querySelectorAll("#variants button[data-variant]"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.variant) === place));
    if (point !== data.chosen) showPoint(data.chosen);
    else refresh();
  }

  function variants() {
    for (const row of document.querySelectorAll("#variants tr[data-place]")) {
      const place = Number(row.dataset.place);
      const example = row.lastElementChild;
      const tools = element("span", "", "tools");
      if (frame) {
        const button = element("button", "Show way");
        button.type = "button";
        button.title = "Show this way in the picture";
        button.dataset.variant = String(place);
        button.setAttribute("aria-pressed", "false");
        button.addEventListener("click", () => {
          chooseVariant(variant === place ? null : place);
          if (variant !== null) byId("automaton").scrollIntoView();
        });
        tools.append(button);
      }
      const life = data.timelines.findIndex((item) => item.name === data.examples[place]);
      if (life >= 0) {
        const open = element("button", "Timeline");
        open.type = "button";
        open.addEventListener("click", () => {
          byId("timeline-select").value = String(life);
          showLife(life);
          byId("timelines").scrollIntoView();
        });
        tools.append(open);
      }
      if (tools.childElementCount) example.append(" ", tools);
    }
  }

  // ---- reading -----------------------------------------------------------------------------------------------

  // on a narrow screen a row is a list; what it is for a screen reader stays
  const narrow = window.matchMedia("(max-width: 40rem)");
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "columnheader", TD: "cell" };

  function asCards(table) {
    table.classList.toggle("cards", narrow.matches);
    if (!narrow.matches || table.getAttribute("role")) return;
    for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, th, td")])
      part.setAttribute("role", roles[part.tagName]);
    const titles = [...table.querySelectorAll("thead th")].map((title) => title.textContent);
    for (const row of table.querySelectorAll("tbody tr"))
      [...row.cells].forEach((cell, place) => cell.setAttribute("data-label", titles[place]));
  }

  function reading() {
    const every = () => document.querySelectorAll("main table").forEach(asCards);
    every();
    narrow.addEventListener("change", every);
    if (narrow.matches) byId("contents").open = false;
    const whole = byId("hashes");
    whole.hidden = false;
    document.body.classList.add("short");
    whole.addEventListener("click", () => {
      const short = document.body.classList.toggle("short");
      whole.setAttribute("aria-pressed", String(!short));
    });
  }

  // ---- folded tables -----------------------------------------------------------------------------------------

  function folds() {
    return [...document.querySelectorAll("details.rows")];
  }

  function folding() {
    if (!folds().length) return;
    const button = byId("open-all");
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      for (const fold of folds()) fold.open = open;
      button.setAttribute("aria-pressed", String(open));
    });
    let closed = [];
    window.addEventListener("beforeprint", () => {
      closed = folds().filter((fold) => !fold.open);
      for (const fold of closed) fold.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const fold of closed) fold.open = false;
    });
    const openTarget = () => {
      const target = byId(location.hash.slice(1));
      if (target) for (const fold of target.querySelectorAll("details.rows")) fold.open = true;
    };
    window.addEventListener("hashchange", openTarget);
    openTarget();
  }

  // ---- search ------------------------------------------------------------------------------------------------

  let openBefore = null;

  function search(text) {
    const wanted = text.trim().toLowerCase();
    const holds = (part) => part.textContent.toLowerCase().includes(wanted);
    if (wanted && openBefore === null) openBefore = folds().filter((fold) => fold.open);
    document.body.classList.toggle("searching", wanted !== "");
    let rows = 0;
    let sections = 0;
    for (const section of document.querySelectorAll("main > section")) {
      const listed = [...section.querySelectorAll("tbody tr")];
      const hits = wanted ? listed.filter(holds) : [];
      const told = wanted && [...section.children].some((part) => /^(H2|H3|P)$/.test(part.tagName) && holds(part));
      for (const row of listed) row.classList.toggle("unfound", hits.length > 0 && !hits.includes(row));
      section.classList.toggle("unfound", wanted !== "" && !hits.length && !told);
      rows += hits.length;
      sections += hits.length || told ? 1 : 0;
      if (wanted) for (const fold of section.querySelectorAll("details.rows")) fold.open = hits.length > 0;
    }
    if (!wanted && openBefore !== null) {
      for (const fold of folds()) fold.open = openBefore.includes(fold);
      openBefore = null;
    }
    const many = (number, noun) => figure(number) + " " + noun + (number === 1 ? "" : "s");
    byId("search-count").textContent = !wanted ? "" : sections ? many(rows, "row") + " in " + many(sections, "section") : "Nothing found";
  }

  function searching() {
    const input = byId("search");
    byId("search-box").hidden = false;
    input.addEventListener("input", () => search(input.value));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      input.value = "";
      search("");
    });
  }

  // ---- copying sentences with their evidence -----------------------------------------------------------------

  function whole(piece) {
    return piece.url || piece.text;
  }

  // a page from disk may not be let at the clipboard; a selected text always is
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea", text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  function copies(button, text) {
    const label = button.firstChild;
    button.addEventListener("click", async () => {
      await copy(text);
      label.textContent = "Copied";
      button.focus();
      window.setTimeout(() => (label.textContent = "Copy"), 2000);
    });
  }

  function copyButton(sentence, evidence, about) {
    const button = element("button", "Copy", "copy");
    button.type = "button";
    button.append(element("span", " the sentence about " + about, "only-read"));
    copies(button, evidence ? sentence + " [" + evidence + "]" : sentence);
    return button;
  }

  function copying() {
    for (const button of document.querySelectorAll("#brief button.copy")) {
      button.hidden = false;
      copies(button, button.previousElementSibling.textContent + " [" + button.dataset.evidence + "]");
    }
    for (const row of document.querySelectorAll("#findings tbody tr")) {
      const sentence = row.cells[1];
      const evidence = [...row.lastElementChild.querySelectorAll("a, code")].map((part) => part.href || part.textContent);
      sentence.append(" ", copyButton(sentence.textContent.trim(), evidence.join(", "), "finding " + row.sectionRowIndex));
    }
  }

  // ---- timelines ---------------------------------------------------------------------------------------------

  function showLife(place) {
    const life = data.timelines[place];
    const columns = [
      ["Block", (event) => figure(event.block), () => "figure"],
      ["Time (UTC)", (event) => event.time],
      ["Event", (event) => event.event + (event.reason ? ": " + event.reason : ""), (event) => (event.rejected ? "rejected" : "")],
      ["By", (event) => event.sender],
      ["Value", (event) => event.value],
      ["Pays", (event) => event.paid],
      ["Arguments", (event) => event.arguments],
      ["State after", (event) => event.state],
      ["What changed", (event) => event.changes],
    ].filter(([, text]) => life.events.some((event) => text(event)));
    const table = element("table");
    table.append(element("caption", life.name));
    const head = element("tr");
    for (const title of [...columns.map(([title]) => title), "Transaction"]) {
      const cell = element("th", title, title === "Block" ? "figure" : "");
      cell.scope = "col";
      head.append(cell);
    }
    const top = element("thead");
    top.append(head);
    const body = element("tbody");
    for (const event of life.events) {
      const row = element("tr");
      for (const [, text, style] of columns) row.append(element("td", text(event), style ? style(event) : ""));
      const cell = element("td");
      cell.append(linked(event.transaction));
      row.append(cell);
      body.append(row);
    }
    table.append(top, body);
    asCards(table);
    byId("timeline").replaceChildren(table);
    byId("timeline-note").textContent =
      (life.length > life.events.length ? "The first " + figure(life.events.length) + " of " + figure(life.length) + " events. " : "") + data.timelinesNote;
  }

  function timelines() {
    if (!data.timelines.length) return;
    const select = byId("timeline-select");
    data.timelines.forEach((life, place) => {
      const option = element("option", life.name + " (" + figure(life.length) + (life.length === 1 ? " event)" : " events)"));
      option.value = String(place);
      select.append(option);
    });
    select.addEventListener("change", () => showLife(Number(select.value)));
    byId("timeline-controls").hidden = false;
    document.querySelector("#timelines .no-script").hidden = true;
    showLife(0);
  }

  // ---- two ways to split the history -------------------------------------------------------------------------

  function showTab(wanted) {
    tabButtons().forEach((button, place) => {
      button.setAttribute("aria-selected", String(place === wanted));
      button.tabIndex = place === wanted ? 0 : -1;
    });
    byId("view").setAttribute("aria-labelledby", "tab-" + wanted);
    byId("view-note").hidden = wanted === 0;
    variant = null;
    chooseNone();
    showPoint(wanted === 0 ? data.chosen : data.second);
  }

  function tabButtons() {
    return [...document.querySelectorAll("#tabs [role=tab]")];
  }

  function tabs() {
    const buttons = tabButtons();
    if (!buttons.length) return;
    byId("tabs").hidden = false;
    buttons.forEach((button, place) => {
      button.addEventListener("click", () => showTab(place));
      button.addEventListener("keydown", (event) => {
        const steps = { ArrowRight: 1, ArrowLeft: -1 };
        const wanted = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : place + (steps[event.key] || 0);
        if (!(event.key in steps) && event.key !== "Home" && event.key !== "End") return;
        event.preventDefault();
        const next = (wanted + buttons.length) % buttons.length;
        showTab(next);
        buttons[next].focus();
      });
    });
  }

  if (frame) {
    byId("controls").hidden = false;
    byId("zoom-in").addEventListener("click", () => zoom(1 / 1.25));
    byId("zoom-out").addEventListener("click", () => zoom(1.25));
    byId("zoom-fit").addEventListener("click", fit);
    frame.addEventListener("keydown", keys);
    frame.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        zoom(event.deltaY < 0 ? 1 / 1.15 : 1.15, event);
      },
      { passive: false }
    );
    dragging();
    const slider = byId("front-slider");
    if (slider) slider.addEventListener("input", () => {
      variant = null;
      chooseNone();
      showPoint(Number(slider.value));
    });
    byId("unfold").addEventListener("click", () => {
      unfolded = !unfolded;
      showPoint(point);
    });
    byId("rare-slider").addEventListener("input", refresh);
    byId("clear-variant").addEventListener("click", () => chooseVariant(null));
    tabs();
    showPoint(data.chosen);
    window.addEventListener("resize", fitFrame);
  }

  function chooseNone() {
    for (const button of document.querySelectorAll("#variants button[aria-pressed]")) button.setAttribute("aria-pressed", "false");
  }

  variants();
  timelines();
  reading();
  folding();
  searching();
  copying();
})();
