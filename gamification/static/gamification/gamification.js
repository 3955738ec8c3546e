// What the pages do beyond what htmx does: toasts that can be dismissed, and a little confetti for what was worth it.
// A module, so that it runs once on a page that names it twice.

function celebrate() {
  if (!document.querySelector(".gx-celebrate") || typeof window.confetti !== "function") {
    return;
  }
  const canvas = document.createElement("canvas");
  canvas.className = "gx-confetti";
  canvas.setAttribute("aria-hidden", "true");
  document.body.append(canvas);
  // A worker would come from a blob, which a strict policy refuses.
  const fire = window.confetti.create(canvas, { resize: true, useWorker: false, disableForReducedMotion: true });
  const colors = ["#7c3aed", "#4f46e5", "#f59e0b", "#ef4444", "#22c55e"];
  Promise.all([
    fire({ particleCount: 70, angle: 60, spread: 60, origin: { x: 0, y: 0.8 }, colors }),
    fire({ particleCount: 70, angle: 120, spread: 60, origin: { x: 1, y: 0.8 }, colors }),
  ]).finally(() => canvas.remove());
}

function dismiss(toast) {
  const region = toast.parentElement;
  const hadFocus = toast.contains(document.activeElement);
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  toast.remove();
  if (!hadFocus) {
    return;
  }
  const target = next?.querySelector(".gx-toast__close") ?? document.querySelector("main");
  if (target && target.tabIndex < 0) {
    target.tabIndex = -1; // can hold the focus, and is no stop of the tab key
  }
  target?.focus({ preventScroll: true });
  region.hidden = !next;
}

function showToasts(region) {
  region.classList.add("gx-toasts--floating");
  const toasts = [...region.children];
  for (const close of region.querySelectorAll(".gx-toast__close")) {
    close.hidden = false;
    close.addEventListener("click", () => dismiss(close.closest(".gx-toast")));
  }
  region.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      dismiss(event.target.closest(".gx-toast"));
    }
  });
  // A status tells what enters it, and not what it began with.
  region.replaceChildren();
  setTimeout(() => region.append(...toasts), 100);
}

celebrate();
document.querySelectorAll(".gx-toasts").forEach(showToasts);
