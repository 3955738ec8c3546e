/* Rows for the rule of an achievement. The text field below stays what is sent: rows only write it. */
(() => {
  "use strict";

  const config = JSON.parse(document.getElementById("gamification-editor").textContent);
  const texts = config.texts;
  const field = document.getElementById("id_conditions");
  if (!field) return;

  const metrics = new Map(config.metrics.map((metric) => [metric.name, metric]));
  const fresh = () => ({ metric: "", fact: "", value: "" });
  const isGroup = (part) => "parts" in part;
  const count = (part) => (isGroup(part) ? part.parts.reduce((sum, inner) => sum + count(inner), 0) : 1);
  const said = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // From the text, and back

  function groupFrom(raw, depth) {
    const [join, ...others] = Object.keys(raw);
    if (others.length || !["all", "any"].includes(join) || !Array.isArray(raw[join]) || depth > config.depth) return null;
    const parts = raw[join].map((part) => partFrom(part, depth));
    return parts.includes(null) ? null : { join, parts };
  }

  function partFrom(raw, depth) {
    if (!raw || typeof raw !== "object") return null;
    if (!("metric" in raw)) return groupFrom(raw, depth + 1);
    const { metric, op, value, ...others } = raw;
    if (typeof metric !== "string" || op !== "gte" || Object.keys(others).length) return null;
    if (value !== null && !["number", "string"].includes(typeof value)) return null;
    const [name, ...fact] = metric.split(":");
    return { metric: name, fact: fact.join(":"), value: value === null ? "" : String(value) };
  }

  function treeFrom(text) {
    if (!text.trim()) return { join: "all", parts: [fresh()] };
    try {
      const { v, ...raw } = JSON.parse(text);
      return v === 1 ? groupFrom(raw, 1) : null;
    } catch {
      return null;
    }
  }

  function stored(part) {
    if (isGroup(part)) return { [part.join]: part.parts.map(stored) };
    const number = /^\d{1,13}$/.test(part.value.trim()) ? Number(part.value) : part.value || null;
    return { metric: part.fact ? `${part.metric}:${part.fact}` : part.metric, op: "gte", value: number };
  }

  function write() {
    field.value = JSON.stringify({ v: 1, ...stored(tree) }, null, 2);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Elements

  function element(name, attributes = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...inside.filter(Boolean));
    return made;
  }

  function button(text, label, act, attributes = {}) {
    return element("button", { type: "button", "aria-label": label, onclick: act, ...attributes }, text);
  }

  function options(names, chosen) {
    return names.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
  }

  const problem = (place) => element("p", { class: "gamification-problem", id: `problem-${place}`, hidden: true });

  function factElement(part, number) {
    const label = said(texts.fact, { number });
    return element("input", {
      type: "text", value: part.fact, class: "gamification-fact", placeholder: texts.fact_hint, maxlength: 50,
      "aria-label": label, title: label, hidden: !metrics.get(part.metric)?.has_facts && !part.fact,
      oninput: (event) => { part.fact = event.target.value.trim(); write(); },
    });
  }

  function clauseElement(part, group, index, place, number) {
    const known = config.metrics.map((each) => [each.name, each.label]);
    const other = part.metric ? [part.metric, said(texts.unknown, { name: part.metric })] : ["", texts.pick];
    const select = element("select", {
      "aria-label": said(texts.metric, { number }), class: "gamification-metric",
      "aria-describedby": `meaning-${place} problem-${place}`,
      // In its place: who types the name of a metric passes others on the way.
      onchange: () => {
        Object.assign(part, { metric: select.value, fact: "" });
        const renewed = factElement(part, number);
        fact.replaceWith(renewed);
        fact = renewed;
        meaning.textContent = metrics.get(part.metric)?.meaning ?? "";
        write();
      },
    }, ...options(metrics.has(part.metric) ? known : [other, ...known], part.metric));
    let fact = factElement(part, number);
    const value = element("input", {
      type: "text", inputmode: "numeric", value: part.value, class: "gamification-value", maxlength: 13,
      "aria-label": said(texts.value, { number }), "aria-describedby": `problem-${place}`,
      oninput: (event) => { part.value = event.target.value; write(); },
    });
    const meaning = element("p", { class: "help", id: `meaning-${place}` }, metrics.get(part.metric)?.meaning);
    const away = button(texts.remove, said(texts.remove_clause, { number }), () => remove(group, index, place, number));
    const least = element("span", { "aria-hidden": "true" }, texts.least);
    return element("li", { class: "gamification-clause", "data-place": place },
      element("div", { class: "gamification-fields" }, select, fact, least, value, away), meaning, problem(place));
  }

  function groupElement(part, place, number, depth, removal) {
    const name = number ? said(texts.group, { number }) : texts.conditions;
    const inside = place ? `${place}.${part.join}` : part.join;
    const join = element("select", {
      "aria-label": said(texts.join, { group: name }), class: "gamification-join",
      "aria-describedby": `problem-${place || "all"}`,
      onchange: () => { part.join = join.value; draw(); write(); focus(place, ".gamification-join"); },
    }, ...options([["all", texts.all], ["any", texts.any]], part.join));
    const parts = part.parts.map((inner, index) => {
      const where = [`${inside}[${index}]`, number ? `${number}.${index + 1}` : `${index + 1}`];
      if (!isGroup(inner)) return clauseElement(inner, part, index, ...where);
      return element("li", {}, groupElement(inner, ...where, depth + 1, () => remove(part, index, ...where)));
    });
    const isFull = count(tree) >= config.clauses;
    return element("fieldset", { class: "gamification-group", "data-place": place },
      element("legend", {}, name), join, element("ol", {}, ...parts), problem(place || "all"),
      element("div", { class: "gamification-buttons" },
        button(texts.add, said(texts.add_to, { group: name }), () => add(part, inside, number, fresh()),
          { class: "gamification-add", disabled: isFull }),
        depth < config.depth && button(texts.add_group, said(texts.add_group_to, { group: name }),
          () => add(part, inside, number, { join: part.join === "all" ? "any" : "all", parts: [fresh()] }),
          { disabled: isFull }),
        removal && button(texts.remove_whole, said(texts.remove_group, { number }), removal)));
  }

  // What the buttons do

  function add(group, inside, number, part) {
    group.parts.push(part);
    const place = `${inside}[${group.parts.length - 1}]`;
    const where = number ? `${number}.${group.parts.length}` : `${group.parts.length}`;
    draw();
    write();
    focus(isGroup(part) ? `${place}.${part.join}[0]` : place, ".gamification-metric");
    tell(said(isGroup(part) ? texts.added_group : texts.added, { number: where }));
  }

  function remove(group, index, place, number) {
    const [part] = group.parts.splice(index, 1);
    draw();
    write();
    const inside = place.slice(0, place.lastIndexOf("["));
    const nearest = `${inside}[${Math.min(index, group.parts.length - 1)}]`;
    if (group.parts.length) focus(nearest, "select");
    else focus(inside.includes(".") ? inside.slice(0, inside.lastIndexOf(".")) : "", ".gamification-add");
    tell(said(isGroup(part) ? texts.removed_group : texts.removed, { number }));
  }

  const at = (place) => box.querySelector(`[data-place="${place}"]`);
  const focus = (place, inside) => at(place)?.querySelector(inside)?.focus();
  const tell = (text) => { news.textContent = text; };

  // What the server says

  // Who is still filling in a row is not told that it is wrong, until it was sent.
  const hasGap = (part) => (isGroup(part) ? part.parts.some(hasGap) : !part.metric || !part.value.trim());
  const wasRefused = Boolean(document.querySelector(".errornote"));

  function mark(event) {
    const { is_valid: isValid, error } = event.detail;
    for (const each of box.querySelectorAll(".gamification-problem")) each.hidden = true;
    for (const each of box.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
    if (isValid || rows.hidden) return;
    if (hasGap(tree) && !wasRefused) {
      event.preventDefault();
      return;
    }
    let place = error.place.replace(/\.(metric|value|op)$/, "");
    while (place && !at(place)) place = place.slice(0, Math.max(place.lastIndexOf("."), 0));
    const where = at(place);
    const shown = where.querySelector(`:scope > .gamification-problem`);
    shown.textContent = `${error.rule[0].toUpperCase()}${error.rule.slice(1)}${/\.$/.test(error.rule) ? "" : "."}`;
    shown.hidden = false;
    const wrong = error.place.endsWith(".value") ? ".gamification-value" : "select";
    where.querySelector(wrong).setAttribute("aria-invalid", "true");
  }

  // The page

  const line = field.closest(".flex-container");
  const help = document.getElementById("id_conditions_helptext");
  const news = element("p", { class: "gamification-hidden", role: "status" });
  const rows = element("div", {});
  const toggle = element("button", { type: "button", onclick: () => (rows.hidden ? showRows() : showText()) });
  const box = element("div", { class: "gamification-editor" }, rows, news,
    element("div", { class: "gamification-buttons" }, toggle));
  let tree = treeFrom(field.value);

  function draw() {
    rows.replaceChildren(groupElement(tree, "", "", 1, null));
  }

  function showRows() {
    const read = treeFrom(field.value);
    if (!read) {
      tell(texts.no_rows);
      news.className = "gamification-problem";
      return;
    }
    tree = read;
    draw();
    change(true);
  }

  function showText() {
    change(false);
    field.focus();
  }

  function change(isRows) {
    rows.hidden = !isRows;
    for (const each of [line, help]) each?.classList.toggle("hidden", isRows);
    toggle.textContent = isRows ? texts.as_json : texts.as_rows;
    tell("");
    news.className = "gamification-hidden";
  }

  line.before(box);
  field.addEventListener("gamification:checked", mark);
  if (tree) draw();
  change(Boolean(tree));
})();
