/* A grid of icons below the field in which any other can be typed. */
(() => {
  "use strict";

  const config = JSON.parse(document.getElementById("gamification-editor").textContent);
  const field = document.getElementById("id_icon");
  if (!field) return;

  const box = document.createElement("details");
  box.className = "gamification-icons";
  const summary = document.createElement("summary");
  summary.textContent = config.texts.choose;
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.className = "gamification-hidden";
  legend.textContent = config.texts.icons;
  group.append(legend);

  const radios = config.icons.map(([icon, name]) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    const shown = document.createElement("span");
    radio.type = "radio";
    radio.name = "gamification-icon";
    radio.setAttribute("form", ""); // the text field is what is sent
    radio.value = icon;
    radio.setAttribute("aria-label", name);
    label.title = name;
    shown.textContent = icon;
    shown.setAttribute("aria-hidden", "true");
    label.append(radio, shown);
    group.append(label);
    return radio;
  });

  function mark() {
    for (const radio of radios) radio.checked = radio.value === field.value.trim();
  }

  group.addEventListener("change", (event) => {
    event.stopPropagation();
    field.value = event.target.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", mark);
  box.append(summary, group);
  field.closest(".flex-container").after(box);
  mark();
})();
