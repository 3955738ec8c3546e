// What the pages do beyond what htmx does: a little confetti for what was worth it.
(() => {
  "use strict";

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

  document.addEventListener("DOMContentLoaded", celebrate);
})();
