"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const list = document.getElementById("list");
  const filter = document.getElementById("filter");
  const main = document.getElementById("main");
  const kinds = document.getElementById("kinds");
  let kind = "";
  let view = null;

  // Every text goes through textContent or setAttribute; nothing is ever parsed as HTML.
  function element(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  }
  function drawing(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  const code = (text) => element("code", {}, text);
  const words = (sentence) => sentence.map(([ours, text]) => (ours ? text : code(text)));

  function address(pipeline, task) {
    return "#pipeline=" + encodeURIComponent(pipeline.id) + (task ? "&task=" + encodeURIComponent(task) : "");
  }
  function wanted() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const pipeline = data.pipelines.find((one) => one.id === parts.get("pipeline"));
    return { pipeline: pipeline || null, task: parts.get("task") };
  }

  function showList() {
    const text = filter.value.trim().toLowerCase();
    const current = wanted().pipeline;
    const rows = data.pipelines
      .filter((one) => (!kind || one.status === kind || (kind === "interface" && one.breaking)) && (!text || one.search.includes(text)))
      .map((one) =>
        element("li", {},
          element("a", { href: address(one), "aria-current": one === current ? "true" : null },
            element("span", { class: "name" }, one.name, " "),
            element("span", { class: "badge " + one.status }, one.status), " ",
            element("span", { class: "head" }, one.headline))));
    list.replaceChildren(...rows);
    document.getElementById("none").hidden = rows.length > 0;
  }

  function showKinds() {
    const count = (of) => data.pipelines.filter((one) => one.status === of || (of === "interface" && one.breaking)).length;
    const all = [["", "all", data.pipelines.length], ...["created", "changed", "unreadable", "unchanged", "interface"].map((of) => [of, of === "interface" ? "breaking" : of, count(of)])];
    kinds.replaceChildren(...all.filter(([of, , n]) => !of || n > 0).map(([of, label, n]) => {
      const button = element("button", { type: "button", "aria-pressed": String(kind === of) }, label + " " + n);
      button.addEventListener("click", () => { kind = of; showKinds(); showList(); });
      return button;
    }));
  }

  function patch(text) {
    const lines = text.split("\n");
    if (lines[lines.length - 1] === "") lines.pop();
    return element("pre", { class: "diff", tabindex: "0" }, lines.map((line) =>
      element("span", { class: line[0] === "+" ? "plus" : line[0] === "-" ? "minus" : line[0] === "@" ? "at" : null }, line || " ")));
  }
  function change(one, open) {
    const item = element("li", { class: one.class + " " + (one.class === "interface" ? "" : one.verb) }, words(one.words));
    if (one.patch) item.append(element("details", { open: open ? "" : null }, element("summary", {}, "show lines"), patch(one.patch)));
    return item;
  }
  function changes(pipeline) {
    if (!pipeline.changes.length) return [];
    const titles = { interface: "Interface: callers break", behaviour: "Behaviour", environment: "Environment", cosmetic: "Cosmetic" };
    const out = [];
    for (const [of, title] of Object.entries(titles)) {
      const some = pipeline.changes.filter((one) => one.class === of);
      if (!some.length) continue;
      const items = element("ul", { class: "changes" }, some.map((one) => change(one, false)));
      out.push(element("h3", {}, title), of === "interface" ? element("div", { class: "warning" }, items) : items);
    }
    if (pipeline.moreChanges) out.push(element("p", { class: "none" }, "and " + pipeline.moreChanges + " more changes"));
    return out;
  }
  function table(title, head, rows) {
    if (!rows.length) return [];
    return [element("h3", {}, title), element("div", { class: "table" }, element("table", {},
      element("thead", {}, element("tr", {}, head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, cell)))))))];
  }

  function cut(text, width, letter) {
    const most = Math.max(4, Math.floor(width / letter));
    const letters = [...text];
    return letters.length <= most ? text : letters.slice(0, most - 1).join("") + "…";
  }
  function graph(pipeline, openTask) {
    const picture = pipeline.graph;
    if (!picture || !picture.nodes.length) return [];
    const svg = drawing("svg", { role: "group", "aria-label": "task graph of " + pipeline.name, tabindex: "0" });
    svg.append(drawing("defs", {}, drawing("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, orient: "auto" },
      drawing("path", { class: "head", d: "M0 0L8 4L0 8z" }))));
    const shapes = new Map();
    const add = (node) => {
      const shape = drawing("g", { class: (node.frame ? "frame " : "node ") + (node.mark || ""), tabindex: "0", role: "button", "aria-pressed": "false",
        "aria-label": node.path + (node.mark ? ", " + node.mark : "") },
      drawing("rect", { x: node.x, y: node.y, width: node.w, height: node.h, rx: node.frame ? 8 : 6 }));
      const line = (text, x, y, name, anchor, letter) => {
        const label = drawing("text", { x, y, "text-anchor": anchor });
        if (name) label.setAttribute("class", name);
        label.textContent = cut(text, node.w - 16, letter);
        shape.append(label);
      };
      if (node.frame) line(node.title, node.x + 12, node.y + 19, "sub", "start", 6.2);
      else {
        line(node.label, node.x + node.w / 2, node.y + 19, "", "middle", 7.3);
        line(node.title, node.x + node.w / 2, node.y + 36, "sub", "middle", 6.2);
      }
      const open = (event) => { event.preventDefault(); event.stopPropagation(); location.hash = address(pipeline, node.path); };
      shape.addEventListener("click", (event) => { if (!moved) open(event); });
      shape.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") open(event); });
      shapes.set(node.path, shape);
      svg.append(shape);
    };
    picture.nodes.filter((node) => node.frame).forEach(add);
    for (const edge of picture.edges) {
      const path = drawing("path", { class: "edge " + (edge.mark || ""), d: edge.d, "marker-end": "url(#head)" });
      if (edge.outputs) { const title = drawing("title", {}); title.textContent = edge.outputs; path.append(title); }
      svg.append(path);
    }
    picture.nodes.filter((node) => !node.frame).forEach(add);

    // The window onto the picture: x, y, width; the height follows from the shape on the screen.
    let box = null;
    let moved = false;
    const ratio = () => (svg.clientHeight || 480) / (svg.clientWidth || 800);
    const apply = () => svg.setAttribute("viewBox", [box.x, box.y, box.w, box.w * ratio()].join(" "));
    const fit = () => {
      const w = Math.max(picture.width, picture.height / ratio(), 320);
      box = { x: (picture.width - w) / 2, y: Math.min(0, (picture.height - w * ratio()) / 2), w };
      apply();
    };
    const zoom = (factor, x = 0.5, y = 0.5) => {
      const w = Math.min(Math.max(box.w * factor, 120), Math.max(picture.width, picture.height) * 6 + 800);
      box.x += (box.w - w) * x; box.y += (box.w - w) * ratio() * y; box.w = w;
      apply();
    };
    const show = (node) => {
      const w = Math.min(box.w, 900);
      box = { x: node.x + node.w / 2 - w / 2, y: node.y + node.h / 2 - w * ratio() / 2, w };
      apply();
    };
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey) return;
      event.preventDefault();
      const at = svg.getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, (event.clientX - at.left) / at.width, (event.clientY - at.top) / at.height);
    }, { passive: false });
    const fingers = new Map();
    svg.addEventListener("pointerdown", (event) => { fingers.set(event.pointerId, [event.clientX, event.clientY]); moved = false; });
    svg.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const now = [event.clientX, event.clientY];
      const scale = box.w / (svg.clientWidth || 800);
      if (fingers.size === 2) {
        const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
        const before = Math.hypot(last[0] - other[0], last[1] - other[1]);
        const after = Math.hypot(now[0] - other[0], now[1] - other[1]);
        if (before > 0 && after > 0) zoom(before / after);
        moved = true;
      } else if (moved || Math.hypot(now[0] - last[0], now[1] - last[1]) > 4) {
        if (!moved) svg.setPointerCapture(event.pointerId);
        moved = true;
        box.x -= (now[0] - last[0]) * scale; box.y -= (now[1] - last[1]) * scale;
        apply();
      } else return;
      fingers.set(event.pointerId, now);
    });
    const end = (event) => { fingers.delete(event.pointerId); };
    svg.addEventListener("pointerup", end);
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("keydown", (event) => {
      const step = box.w / 10;
      const keys = { "+": () => zoom(1 / 1.2), "=": () => zoom(1 / 1.2), "-": () => zoom(1.2), 0: fit, ArrowLeft: () => { box.x -= step; apply(); },
        ArrowRight: () => { box.x += step; apply(); }, ArrowUp: () => { box.y -= step; apply(); }, ArrowDown: () => { box.y += step; apply(); } };
      if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); keys[event.key](); }
    });
    const tool = (label, title, act) => {
      const button = element("button", { type: "button", "aria-label": title, title }, label);
      button.addEventListener("click", act);
      return button;
    };
    const panel = element("div", { "aria-live": "polite" });
    const frame = element("div", { class: "graph" }, svg,
      element("div", { class: "tools" }, tool("+", "zoom in", () => zoom(1 / 1.3)), tool("−", "zoom out", () => zoom(1.3)), tool("fit", "show all", fit)),
      element("div", { class: "legend" }, picture.truncated ? "not all tasks are drawn" : "drag to move, Ctrl+wheel to zoom"));
    const open = (path) => {
      for (const [of, shape] of shapes) shape.setAttribute("aria-pressed", String(of === path));
      const node = picture.nodes.find((one) => one.path === path);
      panel.replaceChildren(...(node ? [task(pipeline, node)] : []));
      if (node) {
        show(node);
        panel.scrollIntoView({ block: "nearest" });
      }
    };
    view = { pipeline, open, close: () => { location.hash = address(pipeline); } };
    requestAnimationFrame(() => { fit(); if (openTask) open(openTask); });
    return [element("h3", {}, "Tasks"), frame, panel];
  }
  function task(pipeline, node) {
    const close = element("button", { type: "button", "aria-label": "close" }, "close");
    close.addEventListener("click", () => view.close());
    const facts = [["kind", node.kind], [node.frame ? "runs" : "image", node.title], ["caching", node.frame ? "" : node.caching ? "on" : "off"]];
    const pairs = (title, entries) => entries.map(([name, text], at) => [at ? "" : title, [code(name), " ", text]]);
    const rows = [...facts.filter(([, text]) => text).map(([name, text]) => [name, [name === "image" ? code(text) : text]]),
      ...pairs("inputs", node.inputs), ...pairs("outputs", node.outputs)];
    const mine = pipeline.changes.filter((one) => one.task === node.path);
    return element("section", { class: "task", "aria-label": "task " + node.path },
      element("h3", {}, element("span", {}, node.path, " ", node.mark ? element("span", { class: "badge " + node.mark }, node.mark) : null), close),
      element("dl", {}, rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
      mine.length ? element("ul", { class: "changes" }, mine.map((one) => change(one, true))) : null);
  }

  function show() {
    const { pipeline, task: openTask } = wanted();
    showList();
    if (!pipeline) { view = null; main.replaceChildren(...overview()); document.title = data.title; return; }
    if (view && view.pipeline === pipeline) { view.open(openTask); return; }
    view = null;
    document.title = pipeline.name + " · " + data.title;
    const facts = [pipeline.file, pipeline.action, pipeline.step === "none" || pipeline.status === "created" ? "" : "suggests a " + pipeline.step + " version", pipeline.sdk, pipeline.digest]
      .filter(Boolean).map((text) => element("span", {}, text));
    if (pipeline.url) facts.push(element("a", { href: pipeline.url, rel: "noreferrer" }, "open on the server"));
    main.replaceChildren(
      element("h2", { tabindex: "-1" }, pipeline.name, " ", element("span", { class: "badge " + pipeline.status }, pipeline.status)),
      element("p", { class: "facts" }, facts),
      ...(pipeline.description ? [element("p", {}, pipeline.description)] : []),
      ...(pipeline.findings.length ? [element("div", { class: "warning" }, pipeline.findings.map((text) => element("div", {}, text)))] : []),
      ...changes(pipeline),
      ...graph(pipeline, openTask),
      ...table("Parameters", ["name", "type", "default", "description"], pipeline.parameters.map((one) =>
        [[code(one.name)], [one.kind], [one.default === null ? (one.optional ? "optional" : "required") : code(one.default)], [one.description]])),
      ...table("Images", ["image"], pipeline.images.map((text) => [[code(text)]])),
      ...table("Packages", ["package"], pipeline.packages.map((text) => [[code(text)]])),
      ...table("Versions known", ["version", "created", "by", "commit", "digest"], pipeline.versions.map((one) =>
        [[one.name], [one.created], [one.by || "by hand"], one.commit ? [code(one.commit)] : [], one.digest ? [code(one.digest)] : []])));
    main.firstChild.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  function overview() {
    const rows = data.pipelines.filter((one) => one.status !== "unchanged").map((one) => [[element("a", { href: address(one) }, one.name)],
      [element("span", { class: "badge " + one.status }, one.status)], [one.headline], [one.breaking ? element("span", { class: "badge interface" }, "breaking") : ""]]);
    const same = data.pipelines.length - rows.length;
    return [element("h2", {}, data.headline), element("p", { class: "facts" }, data.facts.map((text) => element("span", {}, text))),
      ...table("What changes", ["pipeline", "", "changes", ""], rows),
      ...(same ? [element("p", { class: "none" }, same + " unchanged")] : [])];
  }

  filter.addEventListener("input", showList);
  window.addEventListener("hashchange", show);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) { event.preventDefault(); filter.focus(); }
    if (event.key === "Escape") { if (typing) { filter.value = ""; showList(); } else if (view) view.close(); }
  });
  showKinds();
  show();
})();
